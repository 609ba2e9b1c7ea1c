#!/bin/sh
# Installs llmlb: one program, which needs nothing else.
#
#   curl -fsSL https://github.com/llmlb/llmlb/releases/latest/download/install.sh | sh
#   curl -fsSL … | sh -s -- --version 0.2.0 --to /opt/bin
#   sh install.sh --uninstall
#
# Nothing runs before the last line, so a script that was cut on its way does nothing.
set -eu

HOME_OF_RELEASES=https://github.com/llmlb/llmlb/releases
NEEDED_MB=400

usage() {
  cat <<'TEXT'
Installs llmlb, or replaces it by a newer one.

  --version VERSION  This version (default: the newest)
  --to DIR           Folder of the program (~/.local/bin; as root /usr/local/bin)
  --prefix DIR       The program into DIR/bin, shells' completions into DIR/share
  --variant NAME     default or cuda (default: cuda where NVIDIA's driver is)
  --url URL          Address or folder with a release's files [LLMLB_INSTALL_URL]
  --uninstall        Remove the program, its service and its completions
  --purge            With --uninstall: models, settings and history as well
  --help             Show this
TEXT
}

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }

# Ends with what was tried, what is wrong and what to do.
fail() {
  warn "install.sh: $*"
  exit 1
}

fail_usage() {
  warn "install.sh: $* (--help shows what there is)"
  exit 2
}

main() {
  # Nothing that is run here is to read on in this script, where it comes through a pipe.
  exec </dev/null
  version='' to='' prefix='' variant='' action=install purge=no
  url=${LLMLB_INSTALL_URL:-}
  # The program would take it for a mistyped setting.
  unset LLMLB_INSTALL_URL
  while [ $# -gt 0 ]; do
    option=$1
    case $option in
      --*=*)
        value=${option#*=}
        option=${option%%=*}
        shift
        set -- "$option" "$value" "$@"
        ;;
    esac
    case $option in
      --version | --to | --prefix | --variant | --url)
        [ -n "${2:-}" ] || fail_usage "$option needs a value."
        case $option in
          --version) version=${2#v} ;;
          --to) to=$2 ;;
          --prefix) prefix=$2 ;;
          --variant) variant=$2 ;;
          --url) url=$2 ;;
        esac
        shift 2
        ;;
      --uninstall) action=uninstall && shift ;;
      --purge) purge=yes && shift ;;
      --help | -h) usage && exit 0 ;;
      *) fail_usage "$option is unknown." ;;
    esac
  done
  case $version in *[!0-9A-Za-z.+-]*) fail_usage "--version $version: it must be as 0.2.0." ;; esac
  case $variant in
    '' | default | cuda) ;;
    *) fail_usage "--variant $variant: it must be default or cuda." ;;
  esac
  [ "$purge" = no ] || [ "$action" = uninstall ] || fail_usage "--purge goes with --uninstall."
  [ -z "$to" ] || [ -z "$prefix" ] || fail_usage "--to and --prefix: it is one or the other."
  find_place
  if [ "$action" = uninstall ]; then uninstall; else install; fi
}

# Sets bin, program, and share: where completions go, empty for nowhere.
find_place() {
  if [ -z "$to$prefix" ]; then
    if [ "$(id -u)" = 0 ]; then
      prefix=/usr/local
    else
      [ -n "${HOME:-}" ] || fail "HOME is not set: name a folder with --to."
      prefix=$HOME/.local
    fi
  fi
  bin=${to:-$prefix/bin}
  case $bin in /*) ;; *) bin=$(pwd)/$bin ;; esac
  case $prefix in '' | /*) ;; *) prefix=$(pwd)/$prefix ;; esac
  share=${prefix:+$prefix/share}
  program=$bin/llmlb
  managed=$(dirname "$bin")/share/llmlb/managed
  if [ -f "$managed" ]; then
    fail "$program belongs to a package. Change it with: $(cat "$managed")"
  fi
}

# --- Installing ---

install() {
  find_platform
  find_tools
  [ ! -d "$program" ] || fail "$program is a folder: name another place with --to."
  if [ -z "$url" ]; then
    url=$HOME_OF_RELEASES/latest/download
    [ -z "$version" ] || url=$HOME_OF_RELEASES/download/v$version
  fi
  url=${url%/}
  mkdir -p "$bin" 2>/dev/null || fail "$bin cannot be made: name a folder of yours with --to."
  # Beside the program, so that putting it in place is one step that happens or does not.
  staging=$(mktemp -d "$bin/.llmlb-install.XXXXXX" 2>/dev/null) ||
    fail "$bin cannot be written to by $(id -un): name a folder of yours with --to, or use sudo."
  trap 'rm -rf "$staging"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  fetch SHA256SUMS "$staging/sums" quiet
  choose_file
  before=''
  [ ! -f "$program" ] || before=$("$program" --version 2>/dev/null) || before='a broken llmlb'
  if [ -f "$program" ] && [ "$(sum_of "$program")" = "$sum" ]; then
    say "llmlb $found is there already: $program"
  else
    put_in_place
  fi
  add_completions
  tell_next
}

# Sets platform to linux-x64 and the like.
find_platform() {
  system=$(uname -s) machine=$(uname -m)
  case $system in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    MINGW* | MSYS* | CYGWIN*) fail "on Windows, install it with: winget install llmlb.llmlb" ;;
    *) fail "there is no llmlb for $system: it is made for Linux, macOS and Windows." ;;
  esac
  case $machine in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "there is no llmlb for $machine: it is made for x86-64 and 64-bit ARM." ;;
  esac
  # A shell under Rosetta says that it is on Intel.
  if [ "$system-$machine" = darwin-x64 ]; then
    [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || :)" = 1 ] ||
      fail "there is no llmlb for Macs with Intel processors: on macOS it needs Apple silicon."
    machine=arm64
  fi
  platform=$system-$machine
}

find_tools() {
  if command -v curl >/dev/null 2>&1; then
    tool=curl
  elif command -v wget >/dev/null 2>&1; then
    tool=wget
  else
    case $url in
      '' | http://* | https://*) fail "curl or wget is needed to fetch llmlb: install one of them." ;;
    esac
  fi
  for hasher in 'sha256sum' 'shasum -a 256' 'openssl dgst -sha256 -r' none; do
    ! command -v "${hasher%% *}" >/dev/null 2>&1 || break
  done
  [ "$hasher" != none ] || fail "sha256sum, shasum or openssl is needed to check what was fetched."
}

sum_of() {
  # More words than one on purpose: it is a command with its arguments.
  # shellcheck disable=SC2086
  $hasher "$1" | cut -d ' ' -f 1
}

# fetch NAME FILE [quiet]: a file of the release.
fetch() {
  from=$url/$1 status=0
  case $url in
    http://* | https://*) ;;
    *)
      from=${from#file://}
      [ -r "$from" ] || fail "$from cannot be read: --url has to name a release's folder or address."
      cp "$from" "$2" 2>/dev/null || fail_to_store
      return
      ;;
  esac
  if [ "$tool" = curl ]; then
    set -- "$1" "$2" "${3:-loud}"
    look=-s
    [ "$3" = quiet ] || [ ! -t 2 ] || look=--progress-bar
    only='=https'
    case $url in http://*) only='=http,https' ;; esac
    curl -fSL "$look" --proto "$only" --connect-timeout 20 --retry 2 -o "$2" "$from" || status=$?
    case $status in
      0) return ;;
      18) reason="the connection broke off. Try it again" ;;
      22) reason="the server has no such file. Is there such a version?" ;;
      23) fail_to_store ;;
      5 | 6 | 7 | 28) reason="there is no connection to it. Is this machine on the network?" ;;
      35 | 51 | 58 | 60 | 77)
        reason="its certificate is not believed. Are ca-certificates installed, and is the clock right?"
        ;;
      *) reason="curl ended with status $status" ;;
    esac
  else
    wget -q -O "$2" "$from" || status=$?
    [ "$status" != 0 ] || return 0
    is_room_left || fail_to_store
    reason="wget ended with status $status. Is this machine on the network, is there such a version?"
  fi
  fail "fetching $from failed: $reason"
}

free_mb() { df -Pk "$bin" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }'; }

is_room_left() {
  room=$(free_mb)
  [ "${room:-$NEEDED_MB}" -ge "$NEEDED_MB" ]
}

fail_to_store() {
  room=$(free_mb)
  fail "what was fetched cannot be stored in $bin, where ${room:-?} MB are free: \
make room ($NEEDED_MB MB), or name another folder with --to."
}

# Sets file, sum and found (the version) to what the release has for this machine.
choose_file() {
  if [ -z "$variant" ]; then
    variant=default
    [ "$platform" != linux-x64 ] || ! has_nvidia || variant=cuda
    wanted=guessed
  else
    wanted=named
  fi
  if [ "$variant" = cuda ]; then
    look_up "-$platform-cuda"
    [ -z "$file" ] || return 0
    [ "$wanted" = guessed ] || fail "$url has no llmlb with CUDA for $platform: leave --variant out."
    variant=default
  fi
  look_up "-$platform"
  [ -n "$file" ] || fail "$url has no llmlb ${version:+$version }for $platform."
}

# look_up SUFFIX: the line of SHA256SUMS for the file that ends so.
look_up() {
  lines=$(awk -v tail="$1" -v version="$version" '
    { name = $2; sub(/^\*/, "", name); tag = substr(name, 7, length(name) - 6 - length(tail)) }
    substr(name, 1, 6) != "llmlb-" || length(name) <= 6 + length(tail) { next }
    substr(name, length(name) - length(tail) + 1) != tail { next }
    tag !~ /^[0-9]+[.][0-9]+[.][0-9]+[0-9A-Za-z.+-]*$/ { next }
    version != "" && tag != version { next }
    length($1) == 64 && $1 ~ /^[0-9a-f]+$/ { print $1, name, tag }
  ' "$staging/sums")
  file='' sum='' found=''
  case $lines in
    '') return 0 ;;
    *"
"*) fail "$url has several versions for $platform: choose one with --version." ;;
  esac
  sum=${lines%% *} found=${lines##* }
  file=${lines#* }
  file=${file% *}
}

# CUDA is of use only with NVIDIA's driver, whose library this is.
has_nvidia() {
  if command -v ldconfig >/dev/null 2>&1 && ldconfig -p 2>/dev/null | grep -q 'libcuda\.so\.1'; then
    return 0
  fi
  for folder in /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib /usr/lib/wsl/lib \
    /run/opengl-driver/lib /usr/local/nvidia/lib64; do
    [ ! -e "$folder/libcuda.so.1" ] || return 0
  done
  return 1
}

put_in_place() {
  new=$staging/llmlb
  say "Fetching llmlb $found for $platform$(named_variant) from $url"
  fetch "$file" "$new"
  got=$(sum_of "$new")
  [ "$got" = "$sum" ] || fail "$url/$file is not what it should be, and was not installed:
  its SHA-256 is     $got
  SHA256SUMS says    $sum
Try it again; if that does not help, somebody has changed it on its way."
  chmod 755 "$new"
  status=0
  told=$("$new" --version 2>&1) || status=$?
  case "$status $told" in
    "0 llmlb $found "*) ;;
    126*) fail "programs may not be run in $bin (is it mounted noexec?): name another with --to." ;;
    *) fail "llmlb $found does not run on this machine, and was not installed: $told" ;;
  esac
  mv -f "$new" "$program" 2>/dev/null || fail "$program cannot be replaced by $(id -un): use sudo."
  if [ -z "$before" ]; then
    say "Installed llmlb $found$(named_variant): $program"
  else
    say "Installed llmlb $found$(named_variant): $program (it was ${before%% (*})"
  fi
}

named_variant() {
  [ "$variant" = default ] || printf ' with %s' "$variant"
}

bash_completion() { printf '%s' "$share/bash-completion/completions/llmlb"; }
fish_completion() { printf '%s' "$share/fish/vendor_completions.d/llmlb.fish"; }

add_completions() {
  [ -n "$share" ] || return 0
  add_completion bash "$(bash_completion)"
  add_completion fish "$(fish_completion)"
}

# A shell without completion is no reason to fail.
add_completion() {
  if ! {
    mkdir -p "${2%/*}" && "$program" completion "$1" >"$staging/completion" &&
      mv -f "$staging/completion" "$2"
  } 2>/dev/null; then
    warn "Completion for $1 could not be written to $2."
  fi
}

tell_next() {
  name=llmlb
  say ""
  case :$PATH: in
    *:"$bin":*)
      first=$(command -v llmlb || :)
      if [ "$first" != "$program" ]; then
        say "Mind: llmlb is $first in this shell, which comes before $bin in PATH."
        name=$program
      fi
      ;;
    *)
      say "Put it into PATH, also in your shell's profile:"
      say "  export PATH=\"$bin:\$PATH\""
      ;;
  esac
  [ -z "$before" ] || say "An llmlb that runs goes on as this one with: $name restart"
  say "Next:"
  say "  $name                     serves; dashboard at http://127.0.0.1:32768/dashboard"
  say "  $name service install     keeps it running (with sudo: from the machine's start)"
  say "  $name help                what else there is"
}

# --- Removing ---

uninstall() {
  homes=${LLMLB_HOME:-${HOME:+$HOME/.llmlb}}
  if [ -x "$program" ] && [ ! -d "$program" ]; then
    remove_services
    end_servers
  fi
  removed=no
  remove_file "$program"
  remove_file "$bin/llmlb.previous"
  remove_file "$bin/.llmlb-update"
  if [ -n "$share" ]; then
    remove_file "$(bash_completion)"
    remove_file "$(fish_completion)"
    remove_empty "$share/bash-completion/completions" "$share/bash-completion" \
      "$share/fish/vendor_completions.d" "$share/fish"
  fi
  case $bin in
    "${HOME:-/nonexistent}"/*) remove_empty "$share" "$bin" "$(dirname "$bin")" ;;
  esac
  [ "$removed" = yes ] || say "There is no llmlb in $bin: nothing to remove."
  leave_or_purge
}

# Each definition tells in its first line for which data folder it was written.
remove_services() {
  for definition in "${XDG_CONFIG_HOME:-${HOME:-}/.config}"/systemd/user/llmlb*.service \
    /etc/systemd/system/llmlb*.service "${HOME:-}"/Library/LaunchAgents/llmlb*.plist \
    /Library/LaunchDaemons/llmlb*.plist; do
    [ -f "$definition" ] || continue
    grep -qF "$program" "$definition" || continue
    data=$(sed -n 's/.*for the data folder \(.*\) ; llmlb .*/\1/p' "$definition")
    scope=--system
    case $definition in */systemd/user/* | */LaunchAgents/*) scope=--user ;; esac
    service=${definition##*/}
    service=${service%.*}
    "$program" service uninstall --name "$service" "$scope" 2>/dev/null ||
      fail "its service could not be removed ($definition), so nothing was. Try it with sudo, or: \
$program service uninstall --name $service $scope"
    homes="$homes
$data"
  done
}

end_servers() {
  each_home end_server
  # Those of other data folders are not ours to end.
  for link in /proc/[0-9]*/exe; do
    [ "$(readlink "$link" 2>/dev/null || :)" = "$program" ] || continue
    pid=${link#/proc/}
    fail "llmlb still runs as process ${pid%%/*} of another data folder: end it first."
  done
}

end_server() {
  [ -d "$1/run" ] || return 0
  # 3: none runs.
  status=0
  told=$("$program" stop --home "$1" 2>&1) || status=$?
  case $status in
    0) say "$told" ;;
    3) ;;
    *) fail "llmlb could not be ended, so nothing was removed: $told" ;;
  esac
}

# Calls a function with each data folder.
each_home() {
  while IFS= read -r data; do
    [ -z "$data" ] || "$1" "$data"
  done <<TEXT
$(printf '%s\n' "$homes" | sort -u)
TEXT
}

remove_file() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  rm -rf "$1" 2>/dev/null || fail "$1 cannot be removed by $(id -un): use sudo."
  say "Removed $1"
  removed=yes
}

remove_empty() {
  for folder in "$@"; do
    [ -z "$folder" ] || rmdir "$folder" 2>/dev/null || :
  done
}

leave_or_purge() {
  sockets=${TMPDIR:-/tmp}/llmlb-$(id -u)
  remove_empty "$sockets"
  each_home leave_or_purge_data
}

leave_or_purge_data() {
  [ -d "$1" ] || return 0
  if [ "$purge" = no ]; then
    say "Left: $1 (models, settings, history). --uninstall --purge removes it as well."
    return
  fi
  # Whatever LLMLB_HOME says, only a folder that llmlb has made is removed.
  [ -d "$1/run" ] || [ -d "$1/native" ] || fail "$1 does not look like llmlb's: remove it yourself."
  # systemd keeps what belongs to a user of its own behind a link.
  [ ! -L "$1" ] || remove_file "$(cd "$1" && pwd -P)"
  remove_file "$1"
}

main "$@"
