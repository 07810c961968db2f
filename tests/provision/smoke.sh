# Serves as the service would, as its user and with what systemd leaves it; calls as the user of the switch.
python3 -c "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH14x', b'lo', 0x41))"
cd /opt/fsivr/apps
as() {
    local user="$1"
    shift
    env -i PATH=/usr/bin:/bin LANG=C.UTF-8 HOME=/tmp APPS_DATA=/var/lib/fsivr/apps \
        setpriv --reuid "$user" --regid "$user" --init-groups "$@"
}

umask 0027
as fsivr --inh-caps +net_bind_service --ambient-caps +net_bind_service --no-new-privs \
    /opt/fsivr/venv/bin/fsivr serve --config /etc/fsivr/fsivr.toml >/tmp/log 2>&1 &
serving=$!
for _ in {1..300}; do
    ! curl -sk https://127.0.0.1/health/live -o /dev/null || break
    sleep 0.1
done
curl -sk --max-time 20 https://127.0.0.1/health/ready
umask 0007
as freeswitch /opt/fsivr/venv/bin/fsivr call 4301 --server 127.0.0.1:8084
kill $serving
wait $serving || cat /tmp/log
find /var/lib/fsivr/recordings -type f -printf '%M %u:%g %p\n'
as fsivr /opt/fsivr/venv/bin/fsivr recordings list --config /etc/fsivr/fsivr.toml
