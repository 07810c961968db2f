# shellcheck shell=bash
# The kernel's values, and how long logs are kept.

tune_system() {
    step 'kernel and logs'
    put /etc/sysctl.d/60-fsivr.conf root:root 644 <<'CONF'
# Made by scripts/provision.
# A burst of sound packets waits in the socket, and does not get lost.
net.core.rmem_max = 4194304
net.core.wmem_max = 4194304
net.core.netdev_max_backlog = 5000
# Calls that arrive at the same time are connections that arrive at the same time.
net.core.somaxconn = 4096
net.ipv4.tcp_max_syn_backlog = 4096
# No outgoing connection is given a port that a call's sound or a service here needs.
net.ipv4.ip_local_reserved_ports = 5060-5061,8021,8080,8084,10000-20000
# A call is a few entries in the firewall's table of connections; a full one loses packets of all.
net.netfilter.nf_conntrack_max = 262144
CONF
    # nf_conntrack_max is there once the module is.
    put /etc/modules-load.d/fsivr.conf root:root 644 <<<'nf_conntrack'
    put /etc/systemd/journald.conf.d/fsivr.conf root:root 644 <<'CONF'
# Made by scripts/provision: what the log may take of the disk that recordings need too.
[Journal]
Storage=persistent
SystemMaxUse=2G
SystemKeepFree=1G
MaxRetentionSec=90day
CONF
    put /etc/logrotate.d/fsivr root:root 644 <<'CONF'
# Made by scripts/provision. The log of fsivr is in the journal; this is the switch's.
/var/log/freeswitch/*.log /var/log/freeswitch/*.xml {
    su freeswitch freeswitch
    daily
    rotate 30
    maxage 90
    dateext
    compress
    delaycompress
    missingok
    notifempty
    # Not renamed: mod_logfile that is told to open a file which was renamed closes it, and logs no more.
    copytruncate
}
CONF
    has_systemd || return 0
    ! has_changed sysctl.d || change 'loads the values of the kernel' load_sysctl
    ! has_changed journald || change 'has the journal take its limits' systemctl restart systemd-journald
}

load_sysctl() {
    modprobe nf_conntrack || true
    sysctl --load=/etc/sysctl.d/60-fsivr.conf
}
