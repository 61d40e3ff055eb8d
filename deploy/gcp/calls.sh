# shellcheck shell=bash
# What is asked of Google, and what is changed there. Sourced by ../gcp.sh.

# gcloud keeps a log of each command with its arguments, also of those that came by standard input.
export CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1
: "${POLL_SECONDS:=10}"

say() { printf '%s\n' "$*" >&2; }

die() {
    say "gcp.sh: $*"
    exit 1
}

# The number of an option --name=number.
number() {
    [[ ${1#*=} =~ ^[1-9][0-9]{0,5}$ ]] || die "$1 is no number"
    printf %s "${1#*=}"
}

gcp() { gcloud "$@" "--project=$PROJECT" --quiet; }

# Changes something. The command is printed; a secret is never part of it but comes by standard input.
run() {
    local printed
    printf -v printed ' %q' "$@" "--project=$PROJECT"
    printf '+ gcloud%s\n' "$printed"
    [[ $DRY_RUN ]] || gcp "$@"
}

# ask WHAT command…: prints what Google answers; with --dry-run <WHAT>.
ask() {
    local what=$1
    shift
    if [[ $DRY_RUN ]]; then printf '<%s>' "$what"; else gcp "$@" </dev/null; fi
}

# Whether a `describe` finds it. Stops where it fails for another reason than that there is none.
exists() {
    local said
    [[ -z $DRY_RUN ]] || return 1
    if said=$(gcp "$@" '--format=value(name)' 2>&1 </dev/null); then return 0; fi
    case $said in
    *NOT_FOUND* | *"not found"* | *"not exist"* | *"Cannot find"* | *"HTTPError 404"*) return 1 ;;
    esac
    die "gcloud $*: $said"
}

# has LINE command…: whether one line of the answer is just that.
has() {
    local line=$1 seen
    shift
    [[ -z $DRY_RUN ]] || return 1
    seen=$(gcp "$@" </dev/null) || die "gcloud $* failed"
    [[ $'\n'$seen$'\n' == *$'\n'"$line"$'\n'* ]]
}

# fits WHAT WANTED command…: stops where something exists with other settings that matter.
fits() {
    local what=$1 wanted=$2 seen
    shift 2
    [[ -z $DRY_RUN ]] || return 0
    seen=$(gcp "$@" </dev/null) || die "gcloud $* failed"
    seen=${seen//$'\t'/ }
    [[ $seen == "$wanted" ]] ||
        die "$what exists with other settings than it should: [$seen], not [$wanted]. Change it, or name another one."
}

# ready WHAT STATE command…: waits for what takes minutes, also where an earlier run was stopped meanwhile.
ready() {
    local what=$1 wanted=$2 seen deadline=$((SECONDS + 3600))
    shift 2
    [[ -z $DRY_RUN ]] || return 0
    while true; do
        seen=$(gcp "$@" </dev/null) || die "gcloud $* failed"
        case $seen in
        "$wanted") return ;;
        *FAILED* | *ERROR* | *SUSPENDED*) die "$what is $seen" ;;
        esac
        ((SECONDS < deadline)) || die "$what is still $seen after an hour"
        say "$what is $seen; waiting"
        sleep "$POLL_SECONDS"
    done
}
