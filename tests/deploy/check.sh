#!/usr/bin/env bash
# Checks what lies in deploy/ for operators: rules and their cases, Prometheus' and Alertmanager's configuration, the
# runbook, and the dashboard. $1 is a file with the text of /metrics, of a server on which everything has happened once
# that rules and dashboard look at. Without it, what needs that page is left out, and said so.
# shellcheck disable=SC2317  # the functions are called through check
set -uo pipefail
page=${1:+$(realpath "$1")}
cd "$(dirname "$0")/../.." || exit 1
if [ -n "$page" ] && [ ! -r "$page" ]; then
  echo "$0: cannot read $page" >&2
  exit 1
fi
queries=tests/deploy/queries.py
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# Runs a check; shows what it said only if it fails.
check() {
  local what=$1
  shift
  if "$@" >"$scratch/said" 2>&1; then
    printf 'ok      %s\n' "$what"
  else
    printf 'FAILED  %s\n' "$what"
    sed 's/^/        /' "$scratch/said"
    failed=1
  fi
}

for tool in promtool amtool python3; do
  command -v "$tool" >/dev/null && continue
  echo "$0: $tool is missing (Debian: prometheus, prometheus-alertmanager, python3)" >&2
  exit 1
done

# Where alerts of severity $1 go must be $2.
goes_to() {
  amtool config routes test --config.file deploy/alertmanager/alertmanager.yml --verify.receivers="$2" "severity=$1"
}

# No secret stands in a file for operators: passwords, tokens and addresses that are secrets come from files.
no_secrets() {
  ! grep -rnE '^[^#]*(password|secret|token|credentials|api_key|routing_key|api_url)"?:[[:space:]]*[^[:space:]]' deploy
}

dashboard_queries() {
  python3 "$queries" rules >"$scratch/dashboard.yml" && promtool check rules "$scratch/dashboard.yml"
}

metrics_page() {
  promtool check metrics <"$page"
}

check "promtool check config" promtool check config deploy/prometheus/prometheus.yml
check "promtool check rules" promtool check rules deploy/prometheus/rules.yml
check "promtool test rules" promtool test rules deploy/prometheus/rules_test.yml deploy/prometheus/objective_test.yml
check "amtool check-config" amtool check-config deploy/alertmanager/alertmanager.yml
check "pages go to the receiver of pages" goes_to page pages
check "tickets go to the receiver of tickets" goes_to ticket tickets
check "no secret in deploy/" no_secrets
check "each alert: labels, annotations, runbook, both cases" python3 "$queries" alerts
check "configuration, rules and dashboard agree" python3 "$queries" agreement
check "the dashboard's queries are PromQL" dashboard_queries
if [ -n "$page" ]; then
  check "promtool check metrics" metrics_page
  check "each metric and label of rules and dashboard is on the page" python3 "$queries" metrics "$page"
else
  printf 'left    %s\n' "what needs a page of metrics: give the text of /metrics as the first argument"
fi
exit "$failed"
