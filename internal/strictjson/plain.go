package strictjson

// Plain reads a text that is spelled as most programs spell it: strings and lists
// of strings, of ASCII and without escapes. It hands each string to take, with the
// index of its field in the shape, those of a list one by one, and reports whether
// the text was of the shape to its end. If it was not, what take got is of no
// worth, and Check says whether, and what, is wrong.
//
// What Plain passes, Check passes.
func Plain(text []byte, shape Shape, take func(field int, value []byte)) bool {
	p := plain{text: text}
	seen := uint64(0)
	p.expect('{')
	for more := p.next() != '}'; more && !p.failed; more = p.comma() {
		i := fieldOf(shape, p.string())
		if p.expect(':'); i < 0 || seen&(1<<i) != 0 {
			return false
		}
		seen |= 1 << i
		switch shape[i].Type {
		case Text:
			take(i, p.string())
		case Texts:
			p.expect('[')
			for more := p.next() != ']'; more && !p.failed; more = p.comma() {
				take(i, p.string())
			}
			p.expect(']')
		default:
			return false
		}
	}
	p.expect('}')
	if p.next(); p.failed || p.at != len(text) {
		return false
	}
	for i, f := range shape {
		if f.Required && seen&(1<<i) == 0 {
			return false
		}
	}
	return true
}

// fieldOf is the index of the field of a name, or -1.
func fieldOf(shape Shape, name []byte) int {
	for i, f := range shape {
		if string(name) == f.Name {
			return i
		}
	}
	return -1
}

// plain is a text of which the first at bytes were read.
type plain struct {
	text   []byte
	at     int
	failed bool // it is not plain; what is read after that is of no worth
}

// next skips white space and returns the byte after it, or 0 at the end.
func (p *plain) next() byte {
	for ; p.at < len(p.text); p.at++ {
		switch b := p.text[p.at]; b {
		case ' ', '\t', '\r', '\n':
		default:
			return b
		}
	}
	return 0
}

// expect reads the byte b.
func (p *plain) expect(b byte) {
	if p.next() != b {
		p.failed = true
		return
	}
	p.at++
}

// comma reads a comma, if there is one.
func (p *plain) comma() bool {
	if p.next() != ',' {
		return false
	}
	p.at++
	return true
}

// string reads a string and returns what is between its quotes.
func (p *plain) string() []byte {
	p.expect('"')
	for i := p.at; i < len(p.text); i++ {
		switch b := p.text[i]; {
		case b == '"':
			s := p.text[p.at:i]
			p.at = i + 1
			return s
		case b < ' ' || b == '\\' || b >= 0x80:
			p.failed = true
			return nil
		}
	}
	p.failed = true
	return nil
}
