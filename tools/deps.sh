# SPDX-License-Identifier: LGPL-2.1-or-later
# What the project needs of Debian; sourced by demo.sh and check.sh.

DEPS_BUILD="gcc libc6-dev meson ninja-build pkg-config libglib2.0-dev libjson-glib-dev libdnnl-dev
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev"
DEPS_RUN="gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
  gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-x"
DEPS_TEST="ffmpeg opencv-doc g++ libopencv-dev"

as_root () {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    echo "+ sudo $*"
    sudo "$@"
  else
    echo "This needs root, and there is no sudo. As root: $*" >&2
    return 1
  fi
}

# need PACKAGE...: installs those that are not.
need () {
  local missing=() package
  if ! command -v apt-get >/dev/null; then
    echo "No apt-get here: what follows needs what Debian calls $*" | tr -s ' \n' ' '
    echo
    return 0
  fi
  for package in "$@"; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
      installed*) ;;
      *) missing+=("$package") ;;
    esac
  done
  [ ${#missing[@]} = 0 ] && return 0
  echo "Installing with apt-get: ${missing[*]}"
  as_root apt-get -qq update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null
}

# configure FOLDER [MESON OPTION...]: once.
configure () {
  [ -e "$1/build.ninja" ] || meson setup "$@"
}
