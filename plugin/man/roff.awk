# roff.awk -- one of our pages in Markdown as a man page: awk -v version=… -f roff.awk sluice.1.md
#
#   # sluice(1)          .TH         | a | b |   .TP, a table's row         `text`, **text**   bold
#   ## Name, ### Name    .SH, .SS   term          .TP, a line that             four blanks       as it stands
#                                   :   text      `:   ` follows               <!-- -->          nothing
#
# Only what our pages use. A line is looked at together with the next one, hence `held`.

# Text of a line: roff's own characters are escaped, `…` and **…** become bold.
function text(line,    out, i, c, bold) {
    gsub(/\\\|/, "|", line)
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (c == "`") {
            bold = !bold
            out = out (bold ? "\\fB" : "\\fR")
        } else if (c == "*" && substr(line, i + 1, 1) == "*") {
            bold = !bold
            out = out (bold ? "\\fB" : "\\fR")
            i++
        } else if (c == "\\") {
            out = out "\\e"
        } else if (c == "-" && bold) {
            out = out "\\-"
        } else {
            out = out c
        }
    }
    return out ~ /^[.']/ ? "\\&" out : out
}

function literal(line) {
    gsub(/\\/, "\\e", line)
    gsub(/-/, "\\-", line)
    return line ~ /^[.']/ ? "\\&" line : line
}

# `kind` of paragraph begins, if another one was under way or a blank line came before.
function begin(kind) {
    if (state == "code" && kind != "code")
        print ".fi\n.RE"
    if ((kind == "code" || kind == "text") && state != kind && state !~ /^\.S/)
        print ".PP"
    if (kind == "code" && state != "code")
        print ".RS 4\n.nf"
    state = kind
}

function item(term, words) {
    begin("item")
    print ".TP\n" text(term)
    print text(words)
}

function row(line,    cells) {
    gsub(/\\\|/, "\001", line)
    split(line, cells, / *\| */)
    gsub("\001", "|", cells[2])
    gsub("\001", "|", cells[3])
    if (cells[2] != "")
        item(cells[2], cells[3])
}

function heading(macro, name) {
    begin(macro)
    in_name = macro == ".SH" && name == "Name"
    print macro " " (macro == ".SH" ? toupper(name) : text(name))
}

function title(line,    parts) {
    split(line, parts, /[ ()]/)
    print ".TH " toupper(parts[2]) " " parts[3] " \"\" \"Sluice " version "\" \"Sluice\"\n.ad l\n.nh"
}

function show(line, next_line) {
    if (line ~ /^<!--/ || line ~ /^\|[-|]+$/)
        return
    if (state == "item" && above != "" && line ~ /^ /) {
        sub(/^ +/, "", line)
        print text(line)
    } else if (line ~ /^    /) {
        begin("code")
        print literal(substr(line, 5))
    } else if (line == "") {
        if (state == "code" && next_line ~ /^    /)
            print ""
        else if (state != "item" && state !~ /^\.S/)
            begin("gap")
    } else if (line ~ /^# /) {
        title(line)
    } else if (line ~ /^## /) {
        heading(".SH", substr(line, 4))
    } else if (line ~ /^### /) {
        heading(".SS", substr(line, 5))
    } else if (line ~ /^\|/) {
        row(line)
    } else if (next_line ~ /^:   /) {
        term = line
    } else if (line ~ /^:   /) {
        item(term, substr(line, 5))
    } else {
        begin("text")
        line = text(line)
        if (in_name)
            sub(/ – /, " \\- ", line)
        print line
    }
}

NR > 1 {
    show(held, $0)
    above = held
}
{ held = $0 }
END {
    show(held, "")
    begin("end")
}
