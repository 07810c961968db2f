# shellcheck shell=bash
# Who owns what:
#   fsivr        runs the applications; its group reads the settings, which hold secrets: nobody else is in it
#   fsivr-media  fsivr and the switch: the switch writes recordings into the spool, fsivr seals them, and the
#                switch reads what is sealed, to play it. Folders hand the group on (setgid)

make_users() {
    step 'users and folders'
    add_group fsivr
    add_group fsivr-media
    if ! getent passwd fsivr >/dev/null; then
        change 'adds the user fsivr' useradd --system --gid fsivr --home-dir /var/lib/fsivr --no-create-home \
            --shell /usr/sbin/nologin --comment 'fsivr, calls' fsivr
    fi
    join fsivr fsivr-media
    # The switch goes through it to the recordings, and can list nothing.
    folder /var/lib/fsivr fsivr:fsivr 711
    folder /var/lib/fsivr/database fsivr:fsivr 750
    folder /var/lib/fsivr/recordings fsivr:fsivr-media 2750
    folder /var/lib/fsivr/recordings/spool fsivr:fsivr-media 2770
    folder /etc/fsivr root:fsivr 750
    folder /opt/fsivr root:root 755
}

add_group() { getent group "$1" >/dev/null || change "adds the group $1" groupadd --system "$1"; }

# join USER GROUP
join() {
    [[ " $(id -nG "$1" 2>/dev/null) " == *" $2 "* ]] || change "adds $1 to the group $2" usermod --append --groups "$2" "$1"
}
