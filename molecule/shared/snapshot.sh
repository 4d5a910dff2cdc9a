#!/bin/sh
# What an operator would look at to see whether anything was left behind. Counters, ages and what follows free memory are
# cut out.
sysctl -a 2>/dev/null | grep -E '^net\.(ipv4|ipv6)\.(ip_forward|conf|vs)' | grep -v -E 'stable_secret|sync_qlen_max'
ip -o address show | sed -E 's/ (valid_lft|preferred_lft) [^ ]+//g'
ip route show table all | grep -v -E 'expires|^broadcast|^multicast'
ip neighbour show nud permanent
for kind in legacy nft; do arptables-$kind -n -L 2>/dev/null; done
# Ours must go; the chains that the kernel has of itself once a table was used stay, and what iptables-nft makes of them.
nft list ruleset 2>/dev/null
for kind in iptables-legacy ip6tables-legacy; do $kind-save 2>/dev/null | grep -v -E '^(#|\*|:[A-Z]+ |COMMIT)'; done
systemctl --no-pager --no-legend list-unit-files 'lvs*'
systemctl --no-pager --no-legend --failed
ls /etc/sysctl.d /etc/modules-load.d /etc/lvs-topology /var/lib/lvs-topology 2>/dev/null
lsmod | awk '/^ip_vs/ { print $1 }' | sort
# ipvsadm would load ip_vs.
[ ! -d /sys/module/ip_vs ] || ipvsadm -Sn
