package otp

import (
	"fmt"
	"iter"
)

// A Recipe describes drawn codes, makes them, and judges the form of those that are
// presented. The zero value makes what Random(6) makes. A Recipe can be copied and
// compared.
type Recipe struct {
	// Format is the form of the code.
	Format Format

	// Chars is the number of characters that are drawn: 6 to 10 digits, where 0
	// stands for 6; or 4 to 64 unambiguous characters, where 0 stands for 8. Recovery
	// codes have a fixed form: it must be 0.
	Chars int
}

// Check says whether the recipe can be made. The error wraps ErrFormat or ErrSize.
// The other methods panic where Check returns one.
func (r Recipe) Check() error {
	if _, err := r.Format.MarshalText(); err != nil {
		return err
	}
	if r.Chars == 0 {
		return nil
	}
	if r.Format == FormatRecovery {
		return fmt.Errorf("%w: a recovery code has a fixed form, and takes no length", ErrSize)
	}
	least, _, most := r.Format.limits()
	if r.Chars < least || r.Chars > most {
		return fmt.Errorf("%w: a code of %d characters; with the format %s, %d to %d are allowed",
			ErrSize, r.Chars, r.Format, least, most)
	}
	return nil
}

// maker returns what makes the recipe's codes, or panics.
func (r Recipe) maker() maker {
	if err := r.Check(); err != nil {
		panic("otp: Recipe: " + err.Error())
	}
	m := maker{format: r.Format, chars: r.Chars}
	if m.chars == 0 {
		_, m.chars, _ = r.Format.limits()
	}
	return m
}

// New returns one code.
func (r Recipe) New() string { return r.maker().text() }

// Many returns a sequence of n codes. Each range over it makes new ones:
//
//	codes := slices.Collect(otp.Recipe{Format: otp.FormatRecovery}.Many(10))
//
// Codes are independent: short ones may come twice. The system's generator is read in
// blocks of a few kilobytes. The bytes read ahead lie in memory until their codes are
// made, or the loop is left; then they are overwritten. It panics if n is negative.
func (r Recipe) Many(n int) iter.Seq[string] {
	each := r.Each(n)
	return func(yield func(string) bool) {
		for code := range each {
			if !yield(string(code)) {
				return
			}
		}
	}
}

// Each is Many without an allocation for each code, for a loop that writes them out:
// the text is valid only until the loop's next step, and is then overwritten.
func (r Recipe) Each(n int) iter.Seq[[]byte] {
	m := r.maker()
	if n < 0 {
		panic(fmt.Sprintf("otp: %d codes: the number must be 0 or more", n))
	}
	return func(yield func([]byte) bool) { m.each(n, yield) }
}

// Bits returns the entropy of one code, in bits: the logarithm to base 2 of the number
// of equally likely texts. It is 3.321928… for each digit, 5 for each unambiguous
// character, and 120 for a recovery code.
func (r Recipe) Bits() float64 {
	m := r.maker()
	if m.format == FormatDigits {
		return float64(m.chars) * log2of10
	}
	return 5 * float64(m.chars)
}

// Length returns the number of characters of each code, those between the groups of a
// recovery code included.
func (r Recipe) Length() int { return r.maker().length() }

// CheckForm says whether a code that somebody presents has the recipe's form, in its
// one spelling; whether it is right, only its issuer knows. It refuses white space,
// digits of other scripts, lower-case letters, other lengths, and recovery codes
// without their "-". The error wraps ErrMalformed and says which problem there is; it
// never repeats any of the code.
func (r Recipe) CheckForm(code string) error {
	m := r.maker()
	return checkForm(m.format, m.length(), code)
}

// String describes the recipe, as in "digits, 6 characters" or "recovery". It does
// not panic.
func (r Recipe) String() string {
	switch {
	case r.Format == FormatRecovery && r.Chars == 0:
		return r.Format.String()
	case r.Chars == 0:
		_, r.Chars, _ = r.Format.limits()
	}
	return fmt.Sprintf("%s, %d characters", r.Format, r.Chars)
}
