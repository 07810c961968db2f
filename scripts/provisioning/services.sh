# shellcheck shell=bash
# The services of systemd.

write_units() {
    step 'services'
    local unit
    for unit in fsivr.service fsivr-export.service fsivr-export.timer; do
        put "/etc/systemd/system/$unit" root:root 644 <"$here/systemd/$unit"
    done
    folder /var/lib/fsivr/apps fsivr:fsivr 750
    put /etc/fsivr/service.env root:root 644 <<<"WORKERS=$WORKERS"
}

start_services() {
    step 'starts'
    local unit units=(fsivr.service fsivr-export.timer)
    [[ "$WITH_FREESWITCH" == no ]] || units+=(freeswitch.service)
    for unit in "${units[@]}"; do
        systemctl --quiet is-enabled "$unit" 2>/dev/null ||
            change "has $unit begin when the machine does" systemctl --quiet enable "$unit"
    done
    if ! has_systemd; then
        say 'systemd does not run here: services begin at the next start of the machine'
        return 0
    fi
    ! has_changed /etc/systemd/system || change 'has systemd read its units' systemctl daemon-reload
    systemctl --quiet is-active fsivr-export.timer || change 'starts fsivr-export.timer' systemctl start fsivr-export.timer
    start_fsivr
    [[ "$WITH_FREESWITCH" == no ]] || start_freeswitch
}

# What is running goes over to what is new with the calls under way; only what the unit itself says needs a restart.
start_fsivr() {
    if ! systemctl --quiet is-active fsivr; then
        change 'starts fsivr' systemctl start fsivr
    elif has_changed 'fsivr.service$' || has_changed service.env; then
        warn 'the service has changed, which needs: systemctl restart fsivr. Not done, since it ends calls after drain_timeout'
    elif has_changed "$RELEASES" || has_changed /opt/fsivr/apps || has_changed "$SETTINGS" || has_changed certificate; then
        change 'has fsivr take what is new, with the calls under way' systemctl reload fsivr
    fi
}
