#!/usr/bin/env bash
# The protocol by hand, in lines of JSON over TCP or TLS, with what every machine has: a note to oneself.
#
#   examples/json-lines.sh tcp://127.0.0.1:2500
#   examples/json-lines.sh tls://localhost:2501 data/tls-development.crt
#
# The second argument is whose certificate to trust. Typing the same lines into nc by hand works too.
set -euo pipefail

url=${1:-tcp://127.0.0.1:2500}
address=${url#*://}
case $url in
  tcp://*) coproc link { nc "${address%:*}" "${address##*:}"; } ;;
  tls://*) coproc link { openssl s_client -quiet -verify_quiet -verify_return_error -connect "$address" ${2:+-CAfile "$2"}; } ;;
  *) echo "give tcp://HOST:PORT or tls://HOST:PORT, not $url" >&2; exit 2 ;;
esac

# However it ends before the receipt. Writing to who is gone is a failure like any other.
trap 'echo "$url ended the connection before there was a receipt, or was not there" >&2; exit 1' EXIT
trap '' PIPE

say() { printf '%s\n' "$1" >&"${link[1]}"; }

say '["hello",{"v":1,"outbox":"by-hand-0001"}]'
while IFS= read -r frame <&"${link[0]}"; do
  case $frame in
    '["welcome"'*)
      [[ $frame =~ \"id\":\"([^\"]+)\" ]]
      # One may write to oneself: number 1 of the stream to this address, and nothing below it is held.
      say "[\"send\",1,1,\"${BASH_REMATCH[1]}\",null,\"a note to myself\"]"
      ;;
    '["message"'*)
      [[ $frame =~ ^\[\"message\",([0-9]+), ]]
      echo "$frame"
      say "[\"ack\",${BASH_REMATCH[1]}]"
      ;;
    '["receipt","delivered"'*)
      echo "$frame"
      trap - EXIT
      say '["bye"]'
      exit 0
      ;;
    '["ping"]') say '["pong"]' ;;
    '["close"'* | '["error"'* | '["receipt","failed"'*)
      trap - EXIT
      echo "$frame" >&2
      exit 1
      ;;
  esac
done
