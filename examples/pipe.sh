#!/usr/bin/env bash
# Sends each line of stdin as a message, one after the other, with bash alone, and says what became of it:
#
#   tail -f app.log | examples/pipe.sh V1StGXR8_Z5jdHi6
#   ACKD_TCP=10.0.0.7:2500 examples/pipe.sh V1StGXR8_Z5jdHi6 < orders.txt
#
# It names no outbox, so the server numbers the messages. A line is out of its hands once it was stored or delivered; should the
# connection break before that, the script ends with 1 and says which line to begin with again.
set -euo pipefail

to=${1:?the id of the recipient}
address=${ACKD_TCP:-127.0.0.1:2500}
exec 3<>"/dev/tcp/${address%:*}/${address##*:}"

say() { printf '%s\n' "$1" >&3; }

# Leaves the next frame that is no ping in $frame.
hear() {
  while IFS= read -r frame <&3; do
    if [[ $frame == '["ping"]' ]]; then say '["pong"]'; else return 0; fi
  done
  return 1
}

# A line as a JSON string; control characters are left out.
quote() {
  local text=${1//[[:cntrl:]]/}
  text=${text//\\/\\\\}
  printf '"%s"' "${text//\"/\\\"}"
}

say '["hello",{"v":1}]'
hear && [[ $frame == '["welcome"'* ]] || { echo "no welcome: ${frame:-}" >&2; exit 1; }

count=0
while IFS= read -r line || [[ -n $line ]]; do
  say "[\"send\",null,null,\"$to\",null,$(quote "$line")]"
  count=$((count + 1))
  while true; do
    hear || { echo "the connection was lost: begin with line $count" >&2; exit 1; }
    case $frame in
      '["receipt","stored"'* | '["receipt","delivered"'*) break ;;
      '["receipt"'* | '["error"'* | '["close"'*) echo "line $count: $frame" >&2; exit 1 ;;
    esac
  done
done
say '["bye"]'
echo "$count sent"
