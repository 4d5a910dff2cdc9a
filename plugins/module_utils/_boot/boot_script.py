# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that brings a host's state back at boot, and the unit that runs it. Pure: the same on every host."""

from __future__ import annotations

DIRECTORY = "/etc/lvs-topology"
SCRIPT_PATH = f"{DIRECTORY}/restore"
UNIT = "lvs-topology.service"
UNIT_PATH = f"/etc/systemd/system/{UNIT}"
# What loads the rules of a firewall, and flushes what was there.
LOADERS = (
    "netfilter-persistent.service",
    "nftables.service",
    "iptables.service",
    "ip6tables.service",
    "ufw.service",
)

# Static: what differs between hosts is in the files that it reads.
SCRIPT = r"""#!/bin/sh
# Managed by lvs.topology. Changes are overwritten.
#
# Brings back what is described in this directory, once the network is there. Nothing is flushed or removed, so running
# it on a live host disturbs nothing. It goes on after a failure; the exit status tells of it. With the argument
# "network" it brings back only what goes when something else sets the network anew, with "firewall" only packet rules.
cd /etc/lvs-topology || exit 1
PATH=/usr/sbin:/usr/bin:/sbin:/bin
# Words are split at blanks only, and stand for themselves.
unset IFS
set -f
status=0

# A module that is at work on this host may have taken away what still stands here. It has these files locked meanwhile,
# and waits in its turn for the end of what begins here: what was read here by then would be brought back.
# At boot nobody is waited for: services must not be late. A module that begins then waits in its turn.
lock=/var/lib/lvs-topology/ledger.lock
now=-n
if [ -n "${1-}" ]; then
    now=
    [ ! -e "$lock" ] || { flock -s 9; } 9<"$lock"
fi
# shellcheck disable=SC2086  # an option, or none
[ ! -e restore ] || { exec 8<restore && flock -s $now 8; }

failed() {
    echo "lvs-topology: $*" >&2
    status=1
}

# The transaction in $2, without the calls of our chains that are there already. A call goes before the rule that the
# line above it names, or behind all rules; where that rule is not there, before all of them.
missing_of() {
    table=
    before=
    while read -r line; do
        # shellcheck disable=SC2086  # the words of a rule
        case $line in
        "#before "*) before=${line#* } ;;
        "#last") before=last ;;
        \#*) ;;
        \**) table=${line#?} ;;
        -I*)
            "$1" -w 10 -t "$table" -C ${line#-I} 2>/dev/null && line=
            line=$(placed "$1" "$table" "$before" $line)
            before=
            ;;
        esac
        case $line in
        "" | \#*) ;;
        *) printf '%s\n' "$line" ;;
        esac
    done <"$2"
}

# The words of a call behind $3, with the number of the rule before which it goes.
placed() {
    tool=$1 table=$2 before=$3
    shift 3
    [ $# -gt 1 ] || return 0
    chain=$2
    shift 2
    number=
    case $before in
    "") ;;
    last)
        number=$("$tool" -w 10 -t "$table" -S "$chain" 2>/dev/null | grep -c '^-A ')
        number=$((number + 1))
        ;;
    *) number=$("$tool" -w 10 -t "$table" -S "$chain" 2>/dev/null | grep '^-A ' | grep -nxF -- "$before" | head -n 1) ;;
    esac
    printf '%s\n' "-I $chain${number:+ ${number%%:*}} $*"
}

# iptables comes in two kinds as well.
filter_rules() {
    for tool in "$1" "$1-legacy" "$1-nft"; do
        # Read to the end first: restore holds the lock that the look needs.
        rules=$(missing_of "$tool" "$2")
        printf '%s\n' "$rules" | "$tool-restore" -w 10 --noflush 2>/dev/null && return
    done
    failed "no $1 command takes $2"
}

# The handle of a rule, in what nft lists of its chain.
handle_of() {
    rule=$1 awk '
    {
        sub(/^[ \t]+/, "")
        if (match($0, / # handle [0-9]+$/) && substr($0, 1, RSTART - 1) == ENVIRON["rule"]) {
            print substr($0, RSTART + 10)
            exit
        }
    }'
}

packet_rules() {
    # A file replaces its own nft table and no other.
    set +f
    for file in *.nft; do
        set -f
        [ -e "$file" ] || continue
        nft -f "$file" || failed "nft could not do $file"
    done

    # Chains in the tables of somebody else. Each is called before the rule that its line names, or behind all rules;
    # where that rule is not there, before all of them.
    set +f
    for file in *.nft-firewall; do
        set -f
        [ -e "$file" ] || continue
        nft -f "$file" || failed "nft could not do $file"
        while read -r word family table chain name before; do
            [ "$word" = "#call" ] || continue
            nft list chain "$family" "$table" "$chain" | grep -q "jump $name\$" && continue
            if [ -z "$before" ]; then
                nft add rule "$family" "$table" "$chain" jump "$name"
            else
                handle=$(nft -s -a list chain "$family" "$table" "$chain" | handle_of "$before")
                # shellcheck disable=SC2086  # two words, or none
                nft insert rule "$family" "$table" "$chain" ${handle:+handle $handle} jump "$name"
            fi || failed "nft could not call $name"
        done <"$file"
    done

    set +f
    for file in *.iptables *.ip6tables *.iptables-* *.ip6tables-*; do
        set -f
        [ -e "$file" ] || continue
        filter_rules "${file##*.}" "$file"
    done
}

# Whatever loads a firewall's rules may have flushed ours.
if [ "${1-}" = firewall ]; then
    packet_rules
    exit $status
fi

# arptables comes in two kinds, and only adding a rule tells which one the kernel serves.
arp_rule() {
    chain=$1
    shift
    for tool in arptables arptables-legacy arptables-nft; do
        "$tool" -n -L "$chain" 2>/dev/null | sed 's/ *$//' | grep -qxF -- "$*" && return
    done
    for tool in arptables arptables-legacy arptables-nft; do
        "$tool" -A "$chain" "$@" 2>/dev/null && return
    done
    failed "no arptables command adds to $chain: $*"
    return 1
}

# Before the addresses, or the host would answer ARP requests for the VIP in between. (ARP tuning is in sysctl.d.)
unfiltered=
set +f
for file in *.arptables; do
    set -f
    [ -e "$file" ] || continue
    while read -r option chain rule; do
        [ "$option" = -A ] || continue
        # shellcheck disable=SC2086  # the words of a rule
        arp_rule "$chain" $rule || unfiltered="$unfiltered ${file%.arptables} "
    done <"$file"
done

# Before the addresses that are on them. They can only be added, so what is there is left out.
set +f
for file in *.tunnels; do
    set -f
    [ -e "$file" ] || continue
    while read -r object action words; do
        case $object in
        link) [ "$action" = add ] && [ -e "/sys/class/net/${words%% *}" ] && continue ;;
        fou) ip fou show | sed 's/ *$//' | grep -qxF -- "$words" && continue ;;
        *) continue ;;
        esac
        # shellcheck disable=SC2086  # the words of a command
        ip "$object" "$action" $words || failed "ip $object $action $words"
    done <"$file"
done

set +f
for file in *.ip; do
    set -f
    [ -e "$file" ] || continue
    case $unfiltered in
    *" ${file%.ip} "*)
        failed "$file is left out, because without its ARP filter this host would answer for the VIP"
        continue
        ;;
    esac
    ip -force -batch "$file" || failed "ip could not do all of $file"
done

# A route of the main table -> the command that copies it. The smaller segment size counts: ours, that of the route, or
# what fits into its MTU (as the kernel reckons without a segment size). What is the route's own comes before its next
# hops. A route for some sources only, and one with a tunnel of its own, mean something else than their copy would. Of
# one with an object of next hops the kernel may keep to itself where it leads (net.ipv4.nexthop_compat_mode=0).
# shellcheck disable=SC2016  # the dollars are those of awk
copy='
function fit(value) { if (value + 0 < size + 0) size = value + 0 }
{
    gsub(/\\/, " ")
    size = advmss; own = ""; hops = ""; special = 0; object = 0
    for (i = 1; i <= NF; i++) {
        if ($i == "nexthop") break
        if ($i == "from" || $i == "encap") { special = 1; break }
        if ($i == "nhid") object = 1
        if ($i == "expires" || $i == "nhid" || $i == "error") { i++; continue }
        if ($i ~ /^(linkdown|dead|(rt_)?offload|(rt_)?trap|(rt_)?offload_failed|unresolved)$/) continue
        if ($i == "advmss") { i++; if ($i == "lock") i++; fit($i); continue }
        if ($i == "mtu") {
            value = $(i + 1) == "lock" ? $(i + 2) : $(i + 1)
            value -= family == "-6" ? 60 : 40
            least = family == "-6" ? 1220 : 256
            fit(value < least ? least : value)
        }
        own = own " " $i
    }
    for (; i <= NF; i++) {
        if ($i == "encap") special = 1
        if ($i !~ /^(linkdown|dead|(rt_)?offload|(rt_)?trap|unresolved)$/) hops = hops " " $i
    }
    if (object && hops == "" && own " " !~ / (via|dev|blackhole) /) special = 1
    if (special) print "lvs-topology: not copied: " $0 >"/dev/stderr"
    else print "route replace" own " table " table " advmss " size hops
}'

# For what comes from a VIP, the routes of this moment with another segment size. Of two routes to one place the first
# one counts, so it replaces the other.
set +f
for file in *.sources; do
    set -f
    [ -e "$file" ] || continue
    while read -r family source table advmss priority; do
        [ "$family" = -4 ] || [ "$family" = -6 ] || continue
        ip -o "$family" route show table main | grep -v '^fe80:' | tac |
            awk -v family="$family" -v table="$table" -v advmss="$advmss" "$copy" |
            ip "$family" -force -batch - || failed "not every route was copied for $source"
        ip "$family" rule show | sed 's/$/ /' | grep -qF "from $source lookup $table " ||
            ip "$family" rule add from "$source" lookup "$table" priority "$priority" || failed "no rule for $source"
    done <"$file"
done

announced() {
    set +f
    for file in *.announcements; do
        set -f
        [ ! -e "$file" ] || ip -force -batch "$file" || failed "ip could not do all of $file"
    done
}

if [ "${1-}" = network ]; then
    announced
    exit $status
fi

# Before the table, so that no connection is scheduled without them.
packet_rules

set +f
for file in *.timeouts; do
    set -f
    [ ! -e "$file" ] || ipvsadm -R <"$file" || failed "ipvsadm could not do all of $file"
done

# Where the table holds something, somebody else has filled it.
set +f
set -- *.ipvsadm
set -f
if [ -e "$1" ]; then
    if table=$(ipvsadm -S -n); then
        if [ -z "$table" ]; then
            for file in "$@"; do
                ipvsadm -R <"$file" || failed "ipvsadm could not do all of $file"
            done
        fi
    else
        failed "ipvsadm cannot read the table"
    fi
fi

# Where a daemon of the kind runs, somebody else has started it.
set +f
for file in *.daemons; do
    set -f
    [ -e "$file" ] || continue
    while read -r start state options; do
        ipvsadm -L --daemon | grep -q "^$state sync daemon " && continue
        # shellcheck disable=SC2086  # words
        ipvsadm "$start" "$state" $options || failed "ipvsadm could not start the $state daemon of $file"
    done <"$file"
done

announced
exit $status
"""

_HAS = f"ls {DIRECTORY}/*"
_LOCK = "(umask 077; : >>/run/xtables.lock)"
# Whether the iptables of this name has its rules in nf_tables, and some there.
_IS_NFT = "%s -V | grep -q nf_tables && %s-save 2>/dev/null | grep -q ^:"
# iptables-legacy would load its tables and make the file that it locks, but the script may not.
# The table of a firewall is there, because what fills it comes first.
PREPARED = (
    "".join(
        f"ExecStartPre=-+/bin/sh -c '{_HAS}.{name} >/dev/null 2>&1 && {_LOCK} && "
        f"! {{ {_IS_NFT % (name, name)}; }} && modprobe -qa {table}_nat {table}_mangle'\n"
        for name, table in (("iptables", "iptable"), ("ip6tables", "ip6table"))
    )
    + f"ExecStartPre=-+/bin/sh -c '{_HAS}tables-legacy >/dev/null 2>&1 && {_LOCK}'\n"
)
# The script needs nothing else, whoever starts it.
SANDBOX = """\
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
ProtectProc=invisible
# This binds neither the lines above that load modules, nor the kernel, which loads some by itself.
ProtectKernelModules=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077"""
UNIT_TEXT = f"""\
# Managed by lvs.topology. Changes are overwritten.
[Unit]
Description=Virtual addresses, routes, packet rules and IPVS of lvs.topology
Documentation=file://{DIRECTORY}
# net.ipv4.vs.* exists only once ip_vs is loaded, and ARP has to be tuned before a VIP is there to be answered for.
After=systemd-modules-load.service systemd-sysctl.service network-online.target
# What lets packets pass a firewall goes into the firewall's own rules.
After={" ".join(LOADERS)} firewalld.service
Wants=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
# keepalived waits for this unit. The largest tables take seconds; what hangs must not keep the host from serving.
TimeoutStartSec=5min
# firewalld counts as started before it has loaded its rules, which flushes those of iptables. It answers afterwards.
ExecStartPre=-+/bin/sh -c 'systemctl -q is-active firewalld.service && timeout 60 firewall-cmd --state >/dev/null'
# arptables-legacy would load its table itself, but the script may not; where it is not there, nft needs no help.
ExecStartPre=-+/bin/sh -c '{_HAS}.arptables >/dev/null 2>&1 && modprobe -q arptable_filter'
{PREPARED}ExecStart={SCRIPT_PATH}
{SANDBOX}

[Install]
WantedBy=multi-user.target
"""
