"""MusicXML written by hand, briefly: what the tests of the reader read."""

from __future__ import annotations


def note(name, length, *, more="", **options):
    """A note: `F#4`, its length in divisions; `R` is a rest; chord, grace, cue, voice, staff, tie as options."""
    flags = "".join(f"<{flag}/>" for flag in ("grace", "cue", "chord") if options.get(flag))
    if name == "R":
        what = "<rest/>"
    else:
        alter = name.count("#") - name.count("b")
        what = f"<pitch><step>{name[0]}</step><alter>{alter}</alter><octave>{name[-1]}</octave></pitch>"
    duration = "" if options.get("grace") else f"<duration>{length}</duration>"
    ties = "".join(f'<tie type="{kind}"/>' for kind in options.get("tie", "").split())
    place = "".join(f"<{key}>{options[key]}</{key}>" for key in ("voice", "staff") if key in options)
    return f"<note>{flags}{what}{duration}{ties}{place}{more}</note>"


def attributes(*, divisions=2, metre="4/4", fifths=None, more=""):
    """The beginning of a part: divisions of a quarter, metre ("" for none), key."""
    key = "" if fifths is None else f"<key><fifths>{fifths}</fifths><mode>major</mode></key>"
    beats, _, kind = metre.partition("/")
    time = f"<time><beats>{beats}</beats><beat-type>{kind}</beat-type></time>" if metre else ""
    return f"<attributes><divisions>{divisions}</divisions>{key}{time}{more}</attributes>"


def chord(root, kind="major", offset=""):
    """A chord symbol."""
    alter = root.count("#") - root.count("b")
    place = f"<offset>{offset}</offset>" if offset else ""
    root = f"<root><root-step>{root[0]}</root-step><root-alter>{alter}</root-alter></root>"
    return f"<harmony>{root}<kind>{kind}</kind>{place}</harmony>"


def repeat(direction, *, ending="", times=""):
    """A bar line with a repeat sign, an ending such as "start 1", or both."""
    kind, _, number = ending.partition(" ")
    mark = f'<ending type="{kind}" number="{number}"/>' if ending else ""
    sign = f'<repeat direction="{direction}"{f" times={times!r}" if times else ""}/>' if direction else ""
    side = "left" if direction == "forward" or kind == "start" else "right"
    return f'<barline location="{side}">{mark}{sign}</barline>'


def score(*parts, about=()):
    """A score of parts, each a list of measures' contents; `about`: what stands in each part's <score-part>."""
    listed, written = "", ""
    for index, measures in enumerate(parts):
        inside = about[index] if index < len(about) else f"<part-name>Part {index + 1}</part-name>"
        listed += f'<score-part id="P{index + 1}">{inside}</score-part>'
        rows = "".join(f'<measure number="{n}">{text}</measure>' for n, text in enumerate(measures, start=1))
        written += f'<part id="P{index + 1}">{rows}</part>'
    text = f"<score-partwise><part-list>{listed}</part-list>{written}</score-partwise>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
