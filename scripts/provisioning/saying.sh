# shellcheck shell=bash
# What a step says and does: nothing is written that is there already, and each change is told and counted.

begin() {
    ((EUID == 0)) || fail 'it changes the machine: run it as root'
    WORK="$(mktemp -d)"
    trap 'rm -rf "$WORK"' EXIT
    : >"$WORK/changes"
    mkdir -p /run/lock
    exec 9>/run/lock/fsivr-provision.lock
    flock --nonblock 9 || fail 'another run of it is under way'
}

say() { printf 'provision: %s\n' "$1"; }
step() { printf '%s\n' "-- $1"; }
warn() { printf 'provision: warning: %s\n' "$1" >&2; }
fail() {
    printf 'provision: %s\n' "$1" >&2
    exit "${2:-1}"
}

# In a file, since a step may be in a pipe, which is a process of its own.
changed() {
    printf '%s\n' "$1" >>"$WORK/changes"
    if [[ "$CHECK" == yes ]]; then say "would: $1"; else say "$1"; fi
}
has_changed() { grep -q -- "$1" "$WORK/changes"; }

# change WHAT COMMAND...: says it, and runs the command unless it is only a check. Its output is shown where it fails.
change() {
    local what="$1"
    shift
    changed "$what"
    [[ "$CHECK" == yes ]] && return 0
    # In the background, since bash has a function that is followed by || go on after a command in it that fails.
    "$@" >"$WORK/output" 2>&1 9>&- &
    wait "$!" || {
        cat "$WORK/output" >&2
        fail "$what: it failed; what is wrong is said above"
    }
}

# put PATH OWNER:GROUP MODE <text: the file is as the text, or is made so, whole or not at all.
put() {
    local path="$1" owner="$2" mode="$3" text
    text="$(mktemp -p "$WORK")"
    cat >"$text"
    if [[ ! -L "$path" && -f "$path" ]] && cmp -s "$text" "$path"; then
        own "$path" "$owner" "$mode"
        return 0
    fi
    changed "writes $path"
    [[ "$CHECK" == yes ]] && return 0
    [[ -d "$(dirname "$path")" ]] || (umask 022 && mkdir -p "$(dirname "$path")")
    rm -f "$path.new"
    cp "$text" "$path.new"
    chown "$owner" "$path.new"
    chmod "$mode" "$path.new"
    mv "$path.new" "$path"
}

# own PATH OWNER:GROUP MODE, where it is not so.
own() {
    local path="$1" owner="$2" mode="$3"
    [[ -e "$path" ]] || return 0
    [[ "$(stat -c %U:%G "$path")" == "$owner" && "$(stat -c %a "$path")" == "${mode#0}" ]] && return 0
    changed "gives $path to $owner, mode $mode"
    [[ "$CHECK" == yes ]] && return 0
    # In this order: a change of the owner takes the setgid bit away.
    chown "$owner" "$path"
    chmod "$mode" "$path"
}

# folder PATH OWNER:GROUP MODE
folder() {
    if [[ ! -d "$1" ]]; then
        changed "makes $1"
        [[ "$CHECK" == yes ]] && return 0
        (umask 022 && mkdir -p "$1")
        chown "$2" "$1"
        chmod "$3" "$1"
    fi
    own "$1" "$2" "$3"
}

# Whether services are run here: not in a container, nor in a machine's image that is being built.
has_systemd() { [[ -d /run/systemd/system ]]; }

finish() {
    local count
    count="$(wc -l <"$WORK/changes")"
    if ((count == 0)); then
        say 'nothing to change: all is as it should be'
    elif [[ "$CHECK" == yes ]]; then
        say "$count changes would be made"
        exit 3
    else
        say "done, with $count changes"
        show_what_is_next
    fi
}

show_what_is_next() {
    local fsivr='cd /opt/fsivr/apps && runuser -u fsivr -- /opt/fsivr/venv/bin/fsivr'
    cat <<TEXT

What is next:
  the machine is looked at      sudo /opt/fsivr/venv/bin/fsivr settings --config /etc/fsivr/fsivr.toml
  a key of the API              $fsivr apikey create NAME --role admin --config /etc/fsivr/fsivr.toml
  a call without a telephone    $fsivr call NUMBER --server 127.0.0.1:8084 --config /etc/fsivr/fsivr.toml
  carriers, telephones          /etc/fsivr/provision.conf, then this script again
TEXT
}
