# shellcheck shell=bash
# fsivr and the applications: each version in a folder of its own, so that a running one keeps what it began with, and
# the one before can be gone back to.

RELEASES=/opt/fsivr/releases
KEPT_RELEASES=3
# A process goes by the link to Python, so that what it begins after an upgrade is the new version; what it imports
# itself, even later, is from the release that it began with.
PIN='import os, sys; sys.path[:] = [os.path.realpath(each) if each.startswith("/opt/fsivr/venv/") else each for each in sys.path]'

install_application() {
    step 'fsivr and the applications'
    local id current
    id="$(release_id)"
    current="$(readlink /opt/fsivr/venv || true)"
    folder "$RELEASES" root:root 755
    if [[ ! -f "$RELEASES/$id/.complete" ]]; then
        change "installs fsivr as $RELEASES/$id" make_release "$RELEASES/$id"
    fi
    if [[ "$current" != "releases/$id" ]]; then
        change "makes $RELEASES/$id the one that runs" point /opt/fsivr/venv "releases/$id"
        [[ "$CHECK" == yes ]] || remove_old_releases
    fi
    copy_applications
}

# point LINK TARGET: at once, with no moment in which the link is not there.
point() {
    ln -sfn "$2" "$1.new"
    mv -T "$1.new" "$1"
}

# What is installed, and with which Python: the same sources are the same release.
release_id() {
    local python
    python="$(/usr/bin/python3 --version 2>/dev/null || true)"
    {
        printf '%s\n' "$python" "$PIN"
        if [[ -f "$fsivr_source" ]]; then
            sha256sum <"$fsivr_source"
        else
            (cd "$fsivr_source" && find fsivr setup.cfg pyproject.toml -type f ! -path '*/__pycache__/*' -print0 |
                sort -z | xargs -0 sha256sum)
        fi
    } | sha256sum | cut -c1-16
}

make_release() {
    local release="$1" wheel="$fsivr_source"
    rm -rf "$release"
    # Readable by all: the programs are no secret, and the user fsivr may change none of them.
    umask 022
    python3 -m venv "$release"
    if [[ -d "$wheel" ]]; then
        # A copy: a build writes into the folder that it builds.
        mkdir "$WORK/source"
        cp -r "$fsivr_source"/{fsivr,setup.cfg,pyproject.toml,README.md,LICENSE} "$WORK/source/"
        wheel="$WORK/source"
    fi
    "$release/bin/python" -m pip install --quiet --disable-pip-version-check --no-input "${wheel}[postgresql]"
    printf '%s\n' "$PIN" >"$(echo "$release"/lib/python3.*/site-packages)/fsivr-release.pth"
    "$release/bin/fsivr" --version
    touch "$release/.complete"
    umask 077
}

# Those made last are kept, the one that runs in any case.
remove_old_releases() {
    local release
    while IFS= read -r release; do
        [[ "$release" == "$RELEASES/$(basename "$(readlink /opt/fsivr/venv)")" ]] || rm -rf "$release"
    done < <(find "$RELEASES" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn |
        tail -n +$((KEPT_RELEASES + 1)) | cut -d' ' -f2-)
}

# The dialplan's package, below the folder that fsivr is started in; sounds are in it.
copy_applications() {
    local package="${DIALPLAN%%[.:]*}" target=/opt/fsivr/apps
    [[ "$(realpath -m "$applications")" == "$target" ]] && return 0
    [[ -d "$applications/$package" ]] || package+=.py
    folder "$target" root:root 755
    if ! diff -rq -x __pycache__ -x data "$applications/$package" "$target/$package" >/dev/null 2>&1; then
        change "copies the applications to $target/$package" replace_tree "$applications/$package" "$target/$package"
    fi
}

replace_tree() {
    rm -rf "$2.new" "$2.old"
    cp -r "$1" "$2.new"
    find "$2.new" -name __pycache__ -type d -prune -exec rm -rf {} +
    chmod -R u=rwX,go=rX "$2.new"
    [[ ! -e "$2" ]] || mv "$2" "$2.old"
    mv "$2.new" "$2"
    rm -rf "$2.old"
}
