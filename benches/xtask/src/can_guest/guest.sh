#!/bin/busybox sh
# Runs as the first process of the guest: CAN interfaces of the kernel, Skiff on them, and what it must do there.
# Each check is one line, "ok NAME" or "FAILED NAME"; the last line is "done".
/bin/busybox --install -s /bin
export PATH=/bin LD_LIBRARY_PATH=/lib HOME=/root
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev 2>/dev/null
echo 3 > /proc/sys/kernel/printk
# The boot loader leaves half a line on the console.
echo
for module in can can-raw can-dev vcan sja1000 kvaser_pci; do insmod /modules/$module.ko || echo "FAILED insmod $module"; done
# The shell has an ip of its own, which knows no bit rates.
ip() { /bin/ip "$@"; }
ip link set lo up
ip link add vcan0 type vcan && ip link set vcan0 up
# A full queue of an adapter is longer than ten frames, and product information has twenty.
for name in can0 can1; do
  ip link set $name qlen 100
  ip link set $name up type can bitrate 250000 || echo "FAILED up $name"
done

api() { wget -q -O - "http://127.0.0.1:3000$1" 2>/dev/null; }
status() { api /skiff/v1/status; }
# The part of the status that is about one CAN interface.
port() { status | sed "s/.*\"interface\":\"$1\"//; s/\"interface\".*//"; }
# check NAME SECONDS COMMAND...: waits until the command succeeds.
check() {
  name=$1 left=$(($2 * 10)); shift 2
  until "$@"; do
    left=$((left - 1))
    if [ $left -le 0 ]; then echo "FAILED $name"; failed=1; return; fi
    sleep 0.1
  done
  echo "ok $name"
}
status_has() { status | grep -q "$1"; }
port_has() { port "$1" | grep -q "$2"; }
seen() { grep -q "$2" "$1"; }
count() { [ "$(grep -c "$2" "$1")" -ge "$3" ]; }
heading_is() { api /signalk/v1/api/vessels/self/navigation/headingTrue | grep -q "$1"; }

candump -L vcan0 > /vcan0.log &
candump -L can1 > /can1.log &
sleep 0.2
skiff run --config /tmp/skiff --can vcan0 --can can0 --node 2> /skiff.log &
answers() { status > /dev/null; }
check "the gateway answers" 30 answers
[ -z "$failed" ] || { cat /skiff.log; echo done; poweroff -f; }

# A real vcan.
check "address on vcan" 5 port_has vcan0 '"state":"claimed","address":100'
check "claim frames on vcan" 2 seen /vcan0.log '18EEFF64#'
cansend vcan0 09F11223#FF103BFF7FFF7FFC
check "a frame of vcan is a delta" 3 heading_is '"value":1.512'
check "its source is the interface" 1 heading_is '"vcan0.35"'

# Two controllers on one bus.
check "address on the pair" 5 port_has can0 '"state":"claimed","address":100'
check "the other controller sees the claim" 2 seen /can1.log '18EEFF64#'
check "and the heartbeat" 2 seen /can1.log '1DF01164#60EA00FFFFFFFFFF'
cansend can1 18EA6423#14F001
check "product information in 20 frames" 5 count /can1.log '19F01464#' 20
cansend can1 18EA6423#12F101
check "a NAK for what it has not" 3 seen /can1.log '18E82364#01FFFFFFFF12F101'
cansend can1 09F11224#FF1A3BFF7FFF7FFC
check "a frame of the pair is a delta" 3 heading_is '"can0.36"'
# A lower NAME wants the address.
cansend can1 18EEFF64#0000000000000000
check "it gives way to a lower NAME" 3 port_has can0 '"state":"claimed","address":101'

# Down and up.
ip link set can0 down
check "down is seen" 3 port_has can0 '"state":"down"'
check "the input waits" 1 status_has '"label":"can0","state":"waiting"'
sleep 1
ip link set can0 up
check "it comes back by itself" 10 port_has can0 '"state":"claimed","address":101'
cansend can1 09F11225#FF103BFF7FFF7FFC
check "and hears again" 3 heading_is '"can0.37"'

# An adapter that is unplugged and plugged in again: the same name, another interface.
ip link del vcan0
check "unplugged is seen" 3 port_has vcan0 '"state":"down"'
sleep 1
ip link add vcan0 type vcan && ip link set vcan0 up
check "plugged in again" 10 port_has vcan0 '"state":"claimed","address":100'
cansend vcan0 09F11226#FF103BFF7FFF7FFC
check "and hears again" 3 heading_is '"vcan0.38"'

# Bus-off and recovery by injected error frames (linux/can/error.h: 0x40 bus off, 0x100 restarted).
candump -L vcan0 > /vcan0-again.log &
sleep 0.2
cansend vcan0 20000040#0000000000000000
check "bus-off is seen" 3 port_has vcan0 '"state":"bus-off"'
check "its node is off" 1 port_has vcan0 '"node":{"state":"off"'
sleep 1
check "it tries to start the controller again" 3 port_has vcan0 '"restarts":[1-9]'
cansend vcan0 20000100#0000000000000000
check "restarted is seen" 5 port_has vcan0 '"state":"claimed","address":100'
check "it claims again" 1 seen /vcan0-again.log '18EEFF64#'
cansend vcan0 20000004#0008000000000000
check "a warning is seen" 3 port_has vcan0 '"state":"warning"'

# More than a saturated bus: 4,000 frames, nothing lost.
received() { status | sed 's/.*"label":"vcan0"[^}]*"frames":\([0-9]*\).*/\1/'; }
before=$(received)
cangen vcan0 -e -L 8 -g 0.4 -n 4000 -p 10 2> /dev/null
all() { [ "$(received)" -ge $((before + 4000)) ]; }
check "4000 frames, all received" 10 all
check "none lost" 1 port_has vcan0 '"lost":0'

# Another gateway, before its interface is there; what a client of its raw output sends goes to the bus where it may.
mkdir -p /tmp/late/skiff
echo '{"node":true,"relay":[127250]}' > /tmp/late/skiff/n2k.json
skiff run --config /tmp/late --listen 127.0.0.1:3100 --admin-listen none --can vcan7 \
  --output 'tcp-listen://127.0.0.1:2599?format=candump' 2> /late.log &
late() { wget -q -O - http://127.0.0.1:3100/skiff/v1/status 2>/dev/null; }
late_has() { late | grep -q "$1"; }
check "a late interface is waited for" 20 late_has '"label":"vcan7","state":"waiting"'
ip link add vcan7 type vcan && ip link set vcan7 up
candump -L vcan7 > /vcan7.log &
check "it is opened once it is there" 10 late_has '"state":"claimed","address":100'
cansend vcan7 09F11227#FF103BFF7FFF7FFC
check "and heard" 3 late_has '"frames":[1-9]'
(echo '(0.0) can0 09F11230#FF103BFF7FFF7FFC'; echo '(0.1) can0 09FD0230#FF0001FF7FFAFFFF'; sleep 5) | nc 127.0.0.1 2599 > /raw.log &
check "what may be relayed is on the bus, from the own address" 5 seen /vcan7.log '09F11264#FF103BFF7FFF7FFC'
check "what may not is counted" 3 late_has '"not_allowed":1'
not_on_bus() { ! grep -q '09FD02' /vcan7.log; }
check "and not sent" 1 not_on_bus
cansend vcan7 09F11228#FF123BFF7FFF7FFC
check "the client hears the bus" 3 seen /raw.log '09F11228#FF123BFF7FFF7FFC'

if [ -n "$failed" ]; then
  echo "-- status"; status; echo
  echo "-- log"; cat /skiff.log
  echo "-- can1"; head -n 60 /can1.log
  echo "-- vcan0"; head -n 20 /vcan0.log
  echo "-- late"; late; cat /late.log; cat /vcan7.log /raw.log
fi
echo done
poweroff -f
