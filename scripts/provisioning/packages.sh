# shellcheck shell=bash
# What Debian has.

PACKAGES=(ca-certificates curl espeak-ng kmod logrotate nftables openssl procps python3 python3-venv systemd)

install_packages() {
    step 'packages of Debian'
    local missing=() package clocks=(chrony ntpsec openntpd systemd-timesyncd)
    for package in "${PACKAGES[@]}"; do is_installed "$package" || missing+=("$package"); done
    # Recordings are named by the time, and certificates are judged by it.
    for package in "${clocks[@]}"; do
        is_installed "$package" && clocks=()
    done
    ((${#clocks[@]} == 0)) || missing+=(systemd-timesyncd)
    ((${#missing[@]})) || return 0
    apt_update
    change "installs ${missing[*]}" apt_install "${missing[@]}"
}

is_installed() { [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]; }

apt_update() { [[ "$CHECK" == yes ]] || DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 update; }

# What the operator has changed is kept.
apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold \
        --no-install-recommends install "$@"
}
