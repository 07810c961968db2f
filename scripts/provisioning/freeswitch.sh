# shellcheck shell=bash
# FreeSWITCH: the packages of SignalWire, for which an operator has a token, and our configuration.

SWITCH=/etc/freeswitch
REPOSITORY=freeswitch.signalwire.com
AUTHENTICATION=/etc/apt/auth.conf.d/freeswitch.conf
KEYRING=/usr/share/keyrings/signalwire-freeswitch-repo.gpg

install_freeswitch() {
    step 'FreeSWITCH'
    if [[ -n "$FREESWITCH_DEBS" ]]; then
        install_debs
    elif [[ -n "$SECRET_TOKEN" ]]; then
        add_repository
    fi
    [[ -n "$FREESWITCH_DEBS" || ! -f /etc/apt/sources.list.d/freeswitch.sources ]] || install_switch_packages
    if ! getent passwd freeswitch >/dev/null; then
        [[ "$CHECK" == yes ]] && return 0
        fail 'there is no user freeswitch, which the packages of FreeSWITCH make'
    fi
    join freeswitch fsivr-media
    configure_switch
}

# The token is in a file that root alone reads, and in no process's arguments.
add_repository() {
    [[ "$SECRET_TOKEN" =~ ^[A-Za-z0-9_.-]+$ ]] || fail 'the token of SignalWire is letters, digits and _ . -' 2
    put "$AUTHENTICATION" root:root 600 <<<"machine $REPOSITORY login signalwire password $SECRET_TOKEN"
    [[ -s "$KEYRING" ]] || change "fetches the key of $REPOSITORY" fetch_key
    put /etc/apt/sources.list.d/freeswitch.sources root:root 644 <<TEXT
Types: deb
URIs: https://$REPOSITORY/repo/deb/debian-release/
Suites: bookworm
Components: main
Signed-By: $KEYRING
TEXT
}

fetch_key() {
    curl --fail --silent --show-error --location --max-time 60 --netrc-file "$AUTHENTICATION" --output "$WORK/key" \
        "https://$REPOSITORY/repo/deb/debian-release/signalwire-freeswitch-repo.gpg" || {
        echo 'the token was not taken, or the network is in the way: 401 is a wrong token' >&2
        return 1
    }
    install -o root -g root -m 644 "$WORK/key" "$KEYRING"
}

# The package of each module that is loaded, and what they play.
switch_packages() {
    printf '%s\n' freeswitch freeswitch-systemd freeswitch-timezones freeswitch-sounds-en-us-callie freeswitch-music-default
    sed -n 's/.*<load module="\(mod_[a-z_]*\)".*/freeswitch-\1/p' \
        "$here/../freeswitch/autoload_configs/modules.conf.xml" | tr _ -
}

install_switch_packages() {
    local missing=() package
    while IFS= read -r package; do
        is_installed "$package" || missing+=("$package")
    done < <(switch_packages)
    ((${#missing[@]})) || return 0
    apt_update
    change "installs ${missing[*]}" apt_install "${missing[@]}"
}

install_debs() {
    local deb missing=() name
    for deb in "$FREESWITCH_DEBS"/*.deb; do
        [[ -f "$deb" ]] || fail "FREESWITCH_DEBS: there is no .deb file in $FREESWITCH_DEBS" 2
        name="$(dpkg-deb --field "$deb" Package)"
        [[ "$(dpkg-query -W -f '${Version}' "$name" 2>/dev/null)" == "$(dpkg-deb --field "$deb" Version)" ]] ||
            missing+=("$(realpath "$deb")")
    done
    ((${#missing[@]} == 0)) || change "installs ${missing[*]}" apt_install "${missing[@]}"
}

configure_switch() {
    local file
    keep_what_was
    folder "$SWITCH" freeswitch:freeswitch 750
    while IFS= read -r file; do
        put "$SWITCH/$file" freeswitch:freeswitch 640 <"$here/../freeswitch/$file"
    done < <(cd "$here/../freeswitch" && find . -name '*.xml' ! -path './local/*' ! -path ./dialplan/apps.xml -printf '%P\n' | sort)
    put "$SWITCH/.of-fsivr" root:root 644 <<<'The configuration is that of fsivr: what is yours goes into local/.'
    write_dialplan
    write_local
    write_switch_certificate
    # For fs_cli of root, so that no password is typed into a command.
    put /etc/fs_cli.conf root:root 600 <<TEXT
[default]
host => 127.0.0.1
port => 8021
password => $(switch_password)
TEXT
    # The package's -g takes the user's other groups away, and with them the folder of recordings.
    put /etc/systemd/system/freeswitch.service.d/fsivr.conf root:root 644 <<'CONF'
[Unit]
After=fsivr.service nftables.service time-sync.target

[Service]
ExecStart=
ExecStart=/usr/bin/freeswitch -u freeswitch -ncwait -nonat
CONF
}

# A configuration that is not ours is kept beside: the packages' own, or the operator's.
keep_what_was() {
    [[ -e "$SWITCH/freeswitch.xml" && ! -e "$SWITCH/.of-fsivr" ]] || return 0
    [[ ! -e "$SWITCH.before-fsivr" ]] || fail "$SWITCH is not ours, and $SWITCH.before-fsivr is there: move one of them away"
    change "keeps the configuration that was as $SWITCH.before-fsivr" mv "$SWITCH" "$SWITCH.before-fsivr"
}

write_dialplan() {
    [[ "$CHECK" == yes && ! -x /opt/fsivr/venv/bin/fsivr ]] && return 0
    local server servers=(--server 127.0.0.1:8084)
    for server in $SERVERS; do servers+=(--server "$server"); done
    (cd /opt/fsivr/apps && as_fsivr /opt/fsivr/venv/bin/fsivr dialplan --config "$SETTINGS" "${servers[@]}") >"$WORK/apps.xml" ||
        fail 'the dialplan cannot be written as that of the switch'
    folder "$SWITCH/dialplan" freeswitch:freeswitch 750
    put "$SWITCH/dialplan/apps.xml" freeswitch:freeswitch 640 <"$WORK/apps.xml"
}

# set_line NAME VALUE, where there is one.
set_line() { [[ -z "$2" ]] || printf '  <X-PRE-PROCESS cmd="set" data="%s=%s"/>\n' "$1" "$2"; }

write_local() {
    local address name music="" sorry="$SWITCH/local/sorry.wav"
    for name in "" /acl /gateways /users /queues /agents /tiers; do
        folder "$SWITCH/local$name" freeswitch:freeswitch 750
    done
    for name in /usr/share/freeswitch/sounds/music/default/8000 /usr/share/freeswitch/sounds/music/8000; do
        [[ ! -d "$name" ]] || music="$name"
    done
    {
        printf '<include>\n  <!-- Made by scripts/provision from /etc/fsivr/provision.conf; what is yours: any other file of this folder. -->\n'
        set_line fsivr_event_socket_password "$(switch_password)"
        set_line fsivr_max_sessions "$max_sessions"
        set_line fsivr_tls true
        set_line fsivr_sorry "$sorry"
        set_line fsivr_music "$music"
        set_line fsivr_sip_ip "$SIP_ADDRESS"
        set_line fsivr_external_ip "${EXTERNAL_ADDRESS:-$SIP_ADDRESS}"
        set_line domain "${SIP_DOMAIN:-$SIP_ADDRESS}"
        printf '</include>\n'
    } | put "$SWITCH/local/vars.xml" freeswitch:freeswitch 640
    {
        printf '<include>\n'
        for address in $TRUNKS; do printf '  <node type="allow" cidr="%s"/>\n' "$(as_network "$address")"; done
        printf '</include>\n'
    } | put "$SWITCH/local/acl/trunks.xml" freeswitch:freeswitch 640
    [[ "$DEMO_TELEPHONE" == no ]] || write_telephone
    speak_sorry "$sorry"
}

as_network() {
    case "$1" in
        */*) printf '%s' "$1" ;;
        *:*) printf '%s/128' "$1" ;;
        *) printf '%s/32' "$1" ;;
    esac
}

write_telephone() {
    local file="$SWITCH/local/users/1000.xml" password
    [[ ! -e "$file" ]] || return 0
    password="$(generate_password)"
    put "$file" freeswitch:freeswitch 640 <<XML
<include>
  <user id="1000">
    <params>
      <param name="password" value="$password"/>
    </params>
    <variables>
      <variable name="user_context" value="public"/>
      <variable name="effective_caller_id_number" value="1000"/>
    </variables>
  </user>
</include>
XML
    say "the telephone is 1000, its password in $file"
}

# Spoken to those whose call no fsivr takes any more; said anew where the text has changed.
speak_sorry() {
    [[ "$CHECK" == yes && ! -x /usr/bin/espeak-ng ]] && return 0
    local wanted
    wanted="$(printf '%s' "$SORRY_TEXT" | sha256sum | cut -c1-16)"
    if [[ ! -s "$1" || "$(cat "$1.text" 2>/dev/null)" != "$wanted" ]]; then
        change "has SORRY_TEXT spoken into $1" espeak-ng -v en -s 150 -w "$WORK/sorry.wav" -- "$SORRY_TEXT"
        [[ "$CHECK" == yes ]] || install -o freeswitch -g freeswitch -m 640 "$WORK/sorry.wav" "$1"
    fi
    put "$1.text" freeswitch:freeswitch 640 <<<"$wanted"
}

write_switch_certificate() {
    [[ -s "$TLS/key.pem" ]] || return 0
    folder "$SWITCH/tls" freeswitch:freeswitch 750
    put "$SWITCH/tls/agent.pem" freeswitch:freeswitch 640 < <(cat "$TLS/key.pem" "$TLS/certificate.pem")
    put "$SWITCH/tls/cafile.pem" freeswitch:freeswitch 640 <"$TLS/certificate.pem"
}

start_freeswitch() {
    if ! systemctl --quiet is-active freeswitch; then
        change 'starts freeswitch' systemctl start freeswitch
    elif has_changed "$SWITCH/local/vars.xml" || has_changed freeswitch.service.d || has_changed "$SWITCH/sip_profiles"; then
        warn 'the switch has values that need: systemctl restart freeswitch. Not done, since it ends all calls'
    elif has_changed "$SWITCH/"; then
        change 'has freeswitch read its configuration' fs_cli -x reloadxml
        change 'has freeswitch read who may call' fs_cli -x reloadacl
    fi
}
