"""What the sanitizers said in a broker's log, less what is Mosquitto's own.

Mosquitto 2.0 leaves parts of its configuration behind when a plugin refuses the start, and with
per_listener_settings, without any plugin of ours in the stack. Its functions have no names in every
Debian (12: yes, 13: no), so a suppression by name would not do: a leak is Mosquitto's own when its stack
goes through the broker's program and not through the plugin. Stacks are unwound exactly for that; the
fast way ends at the first function without a frame pointer, which is the broker's. What the plugin takes
with mosquitto_malloc has the plugin in its stack, and so has what its libraries leak in its calls; what
they leak in threads of their own does not come through the broker's program.

A broker that stops is not kept waiting for names: they are looked up here, in what is left to tell.
"""

import re
import subprocess

import places

WORDS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "ThreadSanitizer")
PLUGIN = "mosquitto_sluice.so"

ENVIRONMENT = {
    # Six frames reach from malloc through the broker's own functions to the plugin that called them.
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:fast_unwind_on_malloc=0:malloc_context_size=6:"
                    "symbolize=0:stack_trace_format='    #%n %p [%m+%o]'",
    "LSAN_OPTIONS": "exitcode=0",  # Mosquitto's own leaks are no reason to end otherwise than it did
    "UBSAN_OPTIONS": "print_stacktrace=1",
}

LEAKS = re.compile(r"(?:^=+\n)?^==\d+==ERROR: LeakSanitizer: detected memory leaks\n"
                   r"(?P<leaks>.*?)^SUMMARY: .*? leaked in .*?$\n?", re.M | re.S)
LEAK = re.compile(r"^(?:Direct|Indirect) leak of .*\n(?:    #\d+ .*\n)*\n?", re.M)
FRAME = re.compile(r"^(?P<frame>    #\d+ 0x\w+) \[(?P<module>.*)\+(?P<offset>0x\w+)\]$", re.M)


def is_mosquittos(leak):
    modules = [frame["module"].rpartition("/")[2] for frame in FRAME.finditer(leak)]
    return places.mosquitto().rpartition("/")[2] in modules and PLUGIN not in modules


def without_mosquittos(log):
    """The log without leaks that are Mosquitto's; a report of nothing else goes as a whole."""
    def keep(match):
        rest = LEAK.sub(lambda leak: "" if is_mosquittos(leak[0]) else leak[0], match["leaks"])
        return match[0].replace(match["leaks"], rest) if rest.strip() else ""
    return LEAKS.sub(keep, log)


def with_names(text):
    """The frames of the plugin as function and place; others keep library and offset."""
    def name(frame):
        if frame["module"].rpartition("/")[2] != PLUGIN:
            return frame[0]
        # The frame's address is behind the call.
        said = subprocess.run(["addr2line", "-Cfipe", str(places.PLUGIN), hex(int(frame["offset"], 16) - 1)],
                              capture_output=True, text=True, check=False).stdout.strip()
        return f"{frame['frame']} {said or frame['offset']} [{PLUGIN}]"
    return FRAME.sub(name, text)


def report(log):
    """The first report of a sanitizer and what stands around it; empty when there is none."""
    log = without_mosquittos(log)
    at = min((log.find(word) for word in WORDS if word in log), default=-1)
    return with_names(log[max(0, at - 200):at + 6000]) if at >= 0 else ""
