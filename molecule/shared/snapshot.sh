#!/bin/sh
# What an operator would look at to see whether anything was left behind. Counters, ages and what follows free memory are
# cut out, and so is what is chance after a boot: the order of routes.
# Starting a program costs more here than what it does, hence few of them.
# An address that is still being probed, as after a boot, has no route of its own yet.
for _ in $(seq 100); do
    [ -n "$(ip -6 address show tentative -dadfailed)" ] || break
    sleep 0.3
done
sysctl -a --pattern '^net\.(ipv4|ipv6)\.(ip_forward|conf|vs)' 2>/dev/null | grep -v -E 'stable_secret|sync_qlen_max'
ip -force -o -batch - <<'END' | sed -E 's/ (valid_lft|preferred_lft) [^ ]+//g' |
address show
route show table all
rule show
neighbour show nud permanent
link show type ipip
link show type sit
link show type ip6tnl
link show type gre
link show type ip6gre
END
    grep -v -E 'expires|^broadcast|^multicast' | sort
ip -6 rule
[ ! -d /sys/module/fou ] || ip fou show
for kind in legacy nft; do arptables-$kind -n -L 2>/dev/null; done
# Ours must go; the chains that the kernel has of itself once a table was used stay, and what iptables-nft makes of them.
nft list ruleset 2>/dev/null
for kind in iptables-legacy ip6tables-legacy; do $kind-save 2>/dev/null; done | grep -v -E '^(#|\*|:[A-Z]+ |COMMIT)'
systemctl --no-pager --no-legend list-unit-files 'lvs*'
systemctl --no-pager --no-legend --failed
ls /etc/sysctl.d /etc/modules-load.d /etc/lvs-topology /var/lib/lvs-topology /etc/systemd/network* \
    /etc/NetworkManager/conf.d /etc/NetworkManager/dispatcher.d /etc/network/if-up.d \
    /var/lib/prometheus/node-exporter 2>/dev/null
cat /etc/conntrackd/* 2>/dev/null
systemctl is-active conntrackd
systemctl is-enabled conntrackd
systemctl cat conntrackd 2>/dev/null | grep -i lvs-topology
lsmod | awk '/^(ip_vs|ip_tunnel|tunnel|ipip|sit|ip6?_?tunnel|ip6?_?gre|gre|fou)/ { print $1 | "sort" }'
# ipvsadm would load ip_vs.
[ ! -d /sys/module/ip_vs ] || { ipvsadm -Sn && ipvsadm -Ln --timeout && ipvsadm -Ln --daemon; }
