# shellcheck shell=bash
# What the lab's machines take from the machine they run on. Sourced by the scripts that build images.

# The first Debian archive that this machine itself installs from; empty where there is none.
debian_mirror() {
  # shellcheck disable=SC2016 # apt expands it
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -E '/debian/?$' | head -n 1 || true
}

# Puts this machine's own certificates and apt settings below directory $1, so that packages come the way they come here.
machine_files() {
  mkdir -p "$1/usr/local/share/ca-certificates" "$1/etc/apt/apt.conf.d"
  find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$1/usr/local/share/ca-certificates/" \; 2>/dev/null || true
  apt-config dump | grep -Ei '^Acquire::(https?|ftp)::(proxy|timeout)' >"$1/etc/apt/apt.conf.d/80machine" || true
  printf 'Acquire::Retries "3";\n' >>"$1/etc/apt/apt.conf.d/80machine"
}
