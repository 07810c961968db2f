# shellcheck shell=bash
# A table of our own in nftables. Other tables, and /etc/nftables.conf but for one line, stay as they are.

RULES=/etc/nftables.d/fsivr.nft

make_firewall() {
    step 'firewall'
    if [[ "$FIREWALL" == no ]]; then
        say 'left alone, as FIREWALL=no says; docs/operations.md lists the ports'
        return 0
    fi
    rules >"$WORK/rules"
    [[ "$CHECK" == yes && ! -x /usr/sbin/nft ]] || check_rules "$WORK/rules"
    put "$RULES" root:root 600 <"$WORK/rules"
    grep -qs '^include "/etc/nftables.d/\*.nft"' /etc/nftables.conf ||
        change 'has /etc/nftables.conf take in the rules of /etc/nftables.d' include_rules
    systemctl --quiet is-enabled nftables 2>/dev/null ||
        change 'has the rules loaded when the machine starts' systemctl --quiet enable nftables
    warn_of_others
    if has_systemd && { has_changed "$RULES" || ! nft list table inet fsivr >/dev/null 2>&1; }; then
        change 'loads the rules' nft -f "$RULES"
    fi
}

# A rule that nftables does not understand would leave the machine without any.
check_rules() {
    nft -c -f "$1" 2>"$WORK/output" && return 0
    if grep -qi 'operation not permitted' "$WORK/output"; then
        warn 'nftables may not be asked here, so that its rules are not checked'
        return 0
    fi
    cat "$WORK/output" >&2
    fail "the rules in $1 are wrong; those in force stay"
}

include_rules() {
    [[ -f /etc/nftables.conf ]] || printf '#!/usr/sbin/nft -f\nflush ruleset\n' >/etc/nftables.conf
    printf '\n# Of scripts/provision:\ninclude "/etc/nftables.d/*.nft"\n' >>/etc/nftables.conf
    chmod 755 /etc/nftables.conf
}

warn_of_others() {
    local others
    others="$(nft list chains 2>/dev/null | awk '/^table/ {table = $2 " " $3} /hook input/ {print table}' |
        grep -vx 'inet fsivr' | tr '\n' ',' || true)"
    [[ -z "$others" ]] || say "chains of others look at what comes in, too: ${others%,}. They stay; what they drop stays dropped"
}

# elements VERSION ADDRESS...: those of an IP version, as the lines of a set; nothing where there are none.
elements() {
    local version="$1" text="" address
    shift
    for address in "$@"; do
        if [[ "$address" == *:* && "$version" == 6 || "$address" != *:* && "$version" == 4 ]]; then
            text+="${text:+, }$address"
        fi
    done
    [[ -z "$text" ]] || printf '        elements = { %s }\n' "$text"
}

# address_set NAME VERSION ADDRESS...
address_set() {
    local name="$1" version="$2"
    shift 2
    printf '    set %s {\n        type ipv%s_addr\n        flags interval\n        auto-merge\n' "$name" "$version"
    elements "$version" "$@"
    printf '    }\n'
}

rules() {
    local ssh="${SSH_PORTS// /, }" web='80, 443' api_port="${API_LISTEN##*:}"
    [[ -z "$API_LISTEN" || "$API_LISTEN" == 127.* || "$api_port" == 80 || "$api_port" == 443 ]] || web+=", $api_port"
    cat <<'NFT'
# Made by scripts/provision from /etc/fsivr/provision.conf: change it there.
# Replaces this table alone, at once: there is no moment without it.
table inet fsivr
delete table inet fsivr
table inet fsivr {
NFT
    # shellcheck disable=SC2086
    {
        address_set trunks4 4 $TRUNKS $TELEPHONES
        address_set trunks6 6 $TRUNKS $TELEPHONES
        address_set peers4 4 $PEERS
        address_set peers6 6 $PEERS
    }
    cat <<NFT
    set flooders4 {
        type ipv4_addr
        flags dynamic
        timeout 1m
    }
    set flooders6 {
        type ipv6_addr
        flags dynamic
        timeout 1m
    }
    chain input {
        type filter hook input priority filter; policy drop;
        iif lo accept
        ct state established,related accept
        ct state invalid drop
        icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept
        icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept
        udp sport 67 udp dport 68 accept
        udp sport 547 udp dport 546 accept
        tcp dport { $ssh } accept
        tcp dport { $web } accept
        meta l4proto { tcp, udp } th dport { 5060, 5061 } jump sip
        udp dport 10000-20000 accept
        ip saddr @peers4 tcp dport 8084 accept
        ip6 saddr @peers6 tcp dport 8084 accept
    }
    # Conversations of SIP that begin: so many a second from one address, and 5060 for those alone who are known.
    chain sip {
        ip saddr @trunks4 accept
        ip6 saddr @trunks6 accept
        tcp dport != 5061 drop
        meta l4proto udp drop
        update @flooders4 { ip saddr limit rate over 10/second burst 20 packets } counter drop
        update @flooders6 { ip6 saddr limit rate over 10/second burst 20 packets } counter drop
        tcp dport 5061 accept
    }
}
NFT
}
