# shellcheck shell=bash
# /etc/fsivr/fsivr.toml: a part that follows from the options, made anew at each run, and one that is the operator's.

SETTINGS=/etc/fsivr/fsivr.toml
BEGIN_MARK='# -- made by scripts/provision from /etc/fsivr/provision.conf: change it there'
END_MARK='# -- from here on yours: no later run touches it (docs/settings.md)'

write_settings() {
    step 'settings'
    local rest
    rest="$(mktemp -p "$WORK")"
    if [[ -f "$SETTINGS" ]] && grep -qxF "$END_MARK" "$SETTINGS"; then
        sed "1,/^# -- from here on yours/d" "$SETTINGS" >"$rest"
    elif [[ -f "$SETTINGS" ]]; then
        fail "$SETTINGS is not of this script's making: move it away, and put what is yours after the mark of the new one"
    else
        first_settings >"$rest"
    fi
    { made_settings && printf '%s\n' "$END_MARK" && cat "$rest"; } | put "$SETTINGS" root:fsivr 640
    check_settings
}

made_settings() {
    local host=127.0.0.1 allow='"127.0.0.0/8", "::1"' peer
    [[ -z "$PEERS" ]] || host=0.0.0.0
    for peer in $PEERS; do allow+=", \"$peer\""; done
    cat <<TOML
$BEGIN_MARK
dialplan = "$DIALPLAN"
listen = "$host:8084"
socket_address = "127.0.0.1:8084"
allow = [$allow]
ports = $ports
switch_password = "$(switch_password)"
recordings_path = "/var/lib/fsivr/recordings"
database = "$DATABASE"
node = "$NODE"
api_listen = "$API_LISTEN"
TOML
    [[ -z "$API_LISTEN" ]] || cat <<TOML
api_certificate = "/etc/fsivr/tls/certificate.pem"
api_certificate_key = "/etc/fsivr/tls/key.pem"
TOML
}

first_settings() {
    cat <<TOML
# Keys of the API are made by: fsivr apikey create NAME --role admin
drain_timeout = 300
TOML
    [[ ! -d "$applications/${DIALPLAN%%[.:]*}/sounds" ]] ||
        printf 'prompts_path = "/opt/fsivr/apps/%s/sounds"\n' "${DIALPLAN%%[.:]*}"
}

# The password of the switch's event socket: the one that is there, or a new one. Asked for more than once.
switch_password() {
    if [[ -f "$SETTINGS" ]] && grep -q '^switch_password = ".*"$' "$SETTINGS"; then
        sed -n 's/^switch_password = "\(.*\)"$/\1/p' "$SETTINGS" | head -n 1
        return
    fi
    [[ -s "$WORK/password" ]] || generate_password >"$WORK/password"
    cat "$WORK/password"
}

generate_password() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }

# What is wrong in it is told now, and not by a service that does not start.
check_settings() {
    [[ "$CHECK" == yes ]] && return 0
    (cd /opt/fsivr/apps && as_fsivr /opt/fsivr/venv/bin/fsivr settings --config "$SETTINGS") >"$WORK/output" 2>&1 || {
        cat "$WORK/output" >&2
        fail "$SETTINGS is wrong, as is said above"
    }
}

# With the groups of the user, and without root's environment.
as_fsivr() {
    env -i PATH=/usr/bin:/bin LANG=C.UTF-8 HOME=/var/lib/fsivr setpriv --reuid fsivr --regid fsivr --init-groups -- "$@"
}
