# shellcheck shell=bash
# The options: each from the environment, else from /etc/fsivr/provision.conf, else its default. What was used is kept
# there, so that the next run does the same without being told.

OPTIONS_FILE="${OPTIONS_FILE:-/etc/fsivr/provision.conf}"
OPTIONS=()
declare -A OPTION_DEFAULT

# option NAME DEFAULT "what it is for"
option() {
    OPTIONS+=("$1")
    OPTION_DEFAULT[$1]="$2"
}

option SERVER_CLASS M "the size of the machine, S M L or XL: 30, 60, 120 or 240 ports"
option PORTS '' "how many calls at the same time, where it is not that of the class"
option WORKERS 1 "how many processes take calls"
option TRUNKS '' "addresses and networks of the carriers, with spaces between; nobody else may call"
option TELEPHONES '' "networks of telephones that register with a password, as 192.168.56.0/24"
option PEERS '' "addresses of switches on other machines that send calls here"
option SERVERS '' "fsivr on other machines, as 10.0.0.6:8084, that calls go to where this one does not answer"
option SIP_DOMAIN '' "what telephones register with; empty for the address of this machine"
option SIP_ADDRESS '' "the address SIP listens on; empty for that of the route out"
option EXTERNAL_ADDRESS '' "the address carriers reach, where this machine is behind NAT, as in a cloud"
option API_NAME '' "the name in the certificate of the API and of SIP; empty for the machine's own"
option API_LISTEN 0.0.0.0:443 "where the API is served, with TLS; empty for none"
option CERTIFICATE '' "a certificate with its chain, PEM; empty for one signed by itself"
option CERTIFICATE_KEY '' "the private key of it"
option DATABASE sqlite:////var/lib/fsivr/database/fsivr.db "as the setting database; nodes share a PostgreSQL"
option NODE '' "what this machine is called in what is kept; empty for its host name"
option FSIVR_SOURCE '' "the checkout, or a wheel; empty for the checkout this script is in"
option APPLICATIONS '' "the folder that holds the dialplan's package; empty for the samples of the checkout"
option DIALPLAN apps:dialplan "MODULE:NAME of the dialplan, in that folder"
option SSH_PORTS 22 "where the machine itself is reached, with spaces between"
option FIREWALL yes "no leaves the firewall alone"
option WITH_FREESWITCH yes "no leaves the switch alone"
option FREESWITCH_DEBS '' "a folder of FreeSWITCH's .deb files, instead of SignalWire's repository"
option DEMO_TELEPHONE no "yes adds the telephone 1000 with a generated password, to try it out"
option SORRY_TEXT 'We are sorry. This service cannot be reached. Please call again later.' "what is spoken where no fsivr answers"

# Not an option that is kept: SIGNALWIRE_TOKEN, or SIGNALWIRE_TOKEN_FILE. Taken out of the environment of what is run.
SECRET_TOKEN="${SIGNALWIRE_TOKEN:-}"
unset SIGNALWIRE_TOKEN

read_options() {
    local name value
    for name in "${OPTIONS[@]}"; do
        [[ -v "$name" ]] && continue
        value="${OPTION_DEFAULT[$name]}"
        if [[ -f "$OPTIONS_FILE" ]] && grep -q "^$name=" "$OPTIONS_FILE"; then
            value="$(sed -n "s/^$name=//p" "$OPTIONS_FILE" | tail -n 1)"
        fi
        printf -v "$name" '%s' "$value"
    done
    if [[ -n "${SIGNALWIRE_TOKEN_FILE:-}" ]]; then
        [[ -r "$SIGNALWIRE_TOKEN_FILE" ]] || fail "SIGNALWIRE_TOKEN_FILE: $SIGNALWIRE_TOKEN_FILE cannot be read" 2
        SECRET_TOKEN="$(<"$SIGNALWIRE_TOKEN_FILE")"
    fi
    check_options
    derive_options
}

# bad NAME ALLOWED: what was given, and what may be.
bad() { fail "$1 is $2, not '${!1}'" 2; }

check_options() {
    local name
    for name in "${OPTIONS[@]}"; do
        [[ "${!name}" != *[[:cntrl:]\"\\\$\`]* ]] || bad "$name" "printable text without \" \\ \$ \`"
    done
    [[ "$SERVER_CLASS" =~ ^(S|M|L|XL)$ ]] || bad SERVER_CLASS 'S, M, L or XL'
    [[ "$PORTS" =~ ^([1-9][0-9]{0,4})?$ ]] || bad PORTS 'a whole number from 1 to 99999, or nothing'
    [[ "$WORKERS" =~ ^([1-9]|[1-5][0-9]|6[0-4])$ ]] || bad WORKERS 'a whole number from 1 to 64'
    [[ "$SSH_PORTS" =~ ^[1-9][0-9]{0,4}( [1-9][0-9]{0,4})*$ ]] || bad SSH_PORTS 'port numbers with spaces between'
    [[ "$SERVERS" =~ ^([][0-9A-Za-z.:-]+:[0-9]{1,5}( |$))*$ ]] || bad SERVERS 'HOST:PORT, with spaces between, or nothing'
    [[ "$SIP_DOMAIN" =~ ^[A-Za-z0-9.-]{0,200}$ ]] || bad SIP_DOMAIN 'a host name, or nothing'
    [[ "$API_NAME" =~ ^[A-Za-z0-9.-]{0,200}$ ]] || bad API_NAME 'a host name, or nothing'
    [[ "$NODE" =~ ^[A-Za-z0-9._-]{0,64}$ ]] || bad NODE 'up to 64 letters, digits and . _ -, or nothing'
    [[ "$API_LISTEN" =~ ^([][0-9A-Za-z.:-]+:[0-9]{1,5})?$ ]] || bad API_LISTEN 'HOST:PORT, or nothing'
    [[ "$DIALPLAN" =~ ^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$ ]] || bad DIALPLAN 'MODULE:NAME'
    [[ "$DATABASE" =~ ^(sqlite:///|postgresql://).+$ ]] || bad DATABASE 'sqlite:///PATH or postgresql://…'
    for name in FIREWALL WITH_FREESWITCH DEMO_TELEPHONE; do
        [[ "${!name}" =~ ^(yes|no)$ ]] || bad "$name" 'yes or no'
    done
    for name in CERTIFICATE CERTIFICATE_KEY FSIVR_SOURCE; do
        [[ -z "${!name}" || -r "${!name}" ]] || bad "$name" 'a file that can be read'
    done
    for name in APPLICATIONS FREESWITCH_DEBS; do
        [[ -z "${!name}" || -d "${!name}" ]] || bad "$name" 'a folder'
    done
    [[ -z "$CERTIFICATE" || -n "$CERTIFICATE_KEY" ]] || fail 'CERTIFICATE needs CERTIFICATE_KEY' 2
}

# What follows from the options; a call takes a session, and one more for the leg it is bridged to.
derive_options() {
    local -A of_class=([S]=30 [M]=60 [L]=120 [XL]=240)
    ports="${PORTS:-${of_class[$SERVER_CLASS]}}"
    max_sessions=$((2 * ports))
    fsivr_source="${FSIVR_SOURCE:-$source_of_fsivr}"
    applications="${APPLICATIONS:-$source_of_fsivr}"
    api_name="${API_NAME:-$(uname -n)}"
    [[ "$WITH_FREESWITCH" == no || -n "$SECRET_TOKEN" || -n "$FREESWITCH_DEBS" || -x /usr/bin/freeswitch ]] || fail \
        'FreeSWITCH is not here, and its packages are fetched with a token of SignalWire: set SIGNALWIRE_TOKEN or
SIGNALWIRE_TOKEN_FILE (docs/operations.md says where it comes from), FREESWITCH_DEBS to a folder of its packages, or
give --without-freeswitch. Nothing was changed.' 2
    [[ -d "$applications/${DIALPLAN%%[.:]*}" || -f "$applications/${DIALPLAN%%[.:]*}.py" ]] ||
        fail "APPLICATIONS: $applications holds no ${DIALPLAN%%[.:]*}, which DIALPLAN $DIALPLAN names" 2
}

check_machine() {
    local id version
    id="$(sed -n 's/^ID=//p' /etc/os-release)"
    version="$(sed -n 's/^VERSION_ID="\(.*\)"/\1/p' /etc/os-release)"
    [[ "$id" == debian && "$version" == 12 ]] || fail "it is made for Debian 12, and this is $id $version"
}

# After the packages, since it is Python that reads them.
check_addresses() {
    [[ "$CHECK" == yes && ! -x /usr/bin/python3 ]] && return 0
    local name
    for name in TRUNKS TELEPHONES PEERS SIP_ADDRESS EXTERNAL_ADDRESS; do
        /usr/bin/python3 - "$name" "${!name}" <<'PYTHON' || exit 2
import ipaddress, sys
for text in sys.argv[2].split():
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        sys.exit(f"provision: {sys.argv[1]}: {error}")
    if network.prefixlen == 0:
        sys.exit(f"provision: {sys.argv[1]}: {text} is everybody; name the addresses that matter")
PYTHON
    done
}

keep_options() {
    local name
    {
        echo '# Options of scripts/provision, as it was run last; what is changed here is in force at its next run.'
        for name in "${OPTIONS[@]}"; do printf '%s=%s\n' "$name" "${!name}"; done
    } | put "$OPTIONS_FILE" root:root 600
}
