# shellcheck shell=sh
# What the scripts share. Sourced by them with $top set to the checkout; everything said here goes
# to standard error, so that a script's standard output stays its own.

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "$(basename "$0"): $*"
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

cores() {
    nproc 2>/dev/null || echo 2
}

# Configure when there is no build of this very checkout, then build: build_preset PRESET DIR TARGET…
build_preset() {
    preset=$1
    dir=$2
    shift 2
    # A copied checkout brings a cache that names its old place; CMake refuses such a cache.
    if [ -f "$dir/CMakeCache.txt" ] &&
        ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$top" "$dir/CMakeCache.txt"; then
        rm -rf "$dir/CMakeCache.txt" "$dir/CMakeFiles"
    fi
    if [ ! -f "$dir/build.ninja" ] || [ ! -f "$dir/CMakeCache.txt" ]; then
        (cd "$top" && cmake --preset "$preset") >&2 || return 1
    fi
    cmake --build "$dir" -j "$(cores)" ${1:+--target "$@"} >&2
}

# Build what `sheaf` needs, once at a time, and remember when the sources were read.
build_programs() {
    mkdir -p "$top/build"
    (
        flock 9
        # Dated before the build: what is saved while it runs is newer, and is built next time.
        touch "$top/build/.reading"
        build_preset release "$top/build" sheaf sheaf-worker sheaf-links || exit 1
        mv "$top/build/.reading" "$top/build/.built"
    ) 9>"$top/build/.lock"
}

# Whether clang is here with libFuzzer. Only linking tells: where the runtime lies depends on the
# version and the machine, and clang -print-file-name prints a name for what is missing, too.
has_fuzzer() {
    have clang || return 1
    echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return !d || n ? 0 : 0; }' |
        clang -fsanitize=fuzzer,address,undefined -x c - -o /dev/null 2>/dev/null
}
