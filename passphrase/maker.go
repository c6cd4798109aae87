package passphrase

import (
	"math/big"

	"github.com/keyfob-dev/keyfob/internal/draw"
)

const (
	// onStack is the longest phrase that is made on the stack, and most are.
	onStack = 256

	// batchSize is how many random bytes a call that makes many phrases reads at a
	// time. Reading more at once is not faster.
	batchSize = 4096
)

// A maker is a recipe that was checked.
type maker struct {
	forms     *forms
	words     int
	separator string
	digit     bool
	noRepeats bool
}

// text makes one phrase.
func (m *maker) text() string {
	var block [64]byte // for a few words; a longer phrase reads several
	var short [onStack]byte
	dst := short[:0]
	if n := m.most(); n > onStack {
		dst = make([]byte, 0, n+chunk)
	}
	s := draw.System(draw.Block(block[:], m.draws(), uint64(m.forms.len())))
	dst = m.append(dst, &s)
	text := string(dst)
	clear(dst[:cap(dst)])
	s.Clear()
	return text
}

// each makes n phrases and yields each.
func (m *maker) each(n int, yield func([]byte) bool) {
	if n == 0 {
		return
	}
	block := make([]byte, batchSize)
	draws := batchSize
	if n < batchSize {
		draws = min(batchSize, n*m.draws())
	}
	s := draw.System(draw.Block(block, draws, uint64(m.forms.len())))
	buf := make([]byte, 0, m.most()+chunk)
	defer func() {
		clear(buf[:cap(buf)])
		s.Clear()
	}()
	for range n {
		text := m.append(buf, &s)
		if !yield(text[:len(text):len(text)]) {
			return
		}
	}
}

// append draws a phrase and appends it to dst.
func (m *maker) append(dst []byte, s *draw.Stream) []byte {
	n := uint64(m.forms.len())
	place, digit := -1, byte(0)
	if m.digit {
		place = int(s.Below(uint64(m.words)))
		digit = '0' + byte(s.Below(10))
	}
	var sample []int
	if m.noRepeats {
		sample = s.Sample(int(n), m.words)
		defer clear(sample)
	}
	for i := range m.words {
		if i > 0 {
			dst = append(dst, m.separator...)
		}
		if sample == nil {
			dst = m.forms.append(dst, int(s.Below(n)))
		} else {
			dst = m.forms.append(dst, sample[i])
		}
		if i == place {
			dst = append(dst, digit)
		}
	}
	return dst
}

// draws is how many numbers are drawn for a phrase.
func (m *maker) draws() int {
	if m.digit {
		return m.words + 2
	}
	return m.words
}

// most is how many bytes a phrase has at most.
func (m *maker) most() int {
	n := m.words*(m.forms.longest+len(m.separator)) - len(m.separator)
	if m.digit {
		n++
	}
	return n
}

// count is the number of phrases, all equally likely.
func (m *maker) count() *big.Int {
	n := int64(m.forms.len())
	count := big.NewInt(1)
	if m.noRepeats {
		if words := int64(m.words); words > 0 {
			count.MulRange(n-words+1, n)
		}
	} else {
		count.Exp(big.NewInt(n), big.NewInt(int64(m.words)), nil)
	}
	if m.digit {
		count.Mul(count, big.NewInt(10*int64(m.words)))
	}
	return count
}
