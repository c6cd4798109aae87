package draw

// Chars fills dst with characters of the alphabet, each drawn uniformly and
// independently. The alphabet has 1 to 256 bytes; one that occurs twice is drawn
// twice as often. A character takes one byte of the stream where 256 divides by
// the length of the alphabet, 1.03 on average with 62 characters, and less than
// 2 with any number.
func (s *Stream) Chars(dst []byte, alphabet string) {
	if len(alphabet) == 0 || len(alphabet) > 256 {
		panic("draw: an alphabet has 1 to 256 characters")
	}
	for len(dst) > 0 {
		if s.at == len(s.block) {
			s.refill(1)
		}
		used, made := fold(dst, s.block[s.at:], alphabet)
		s.at += used
		dst = dst[made:]
	}
}

// fold draws characters into dst from the bytes of src until one of them ends,
// and returns how many bytes it used and how many characters it made.
//
// A byte b stands for the character at b*n/256, rounded down, where n is the
// length of the alphabet, unless the low byte of b*n is below 256 mod n. So the
// bytes for the character at c are those whose product is in an interval of
// length 256 - 256 mod n, which ends at 256*(c+1). That length is a multiple of
// n, hence the interval holds exactly 256/n (rounded down) multiples of n,
// whatever c is. (It is Lemire's multiplication, on 8 bits.)
func fold(dst, src []byte, alphabet string) (used, made int) {
	n := uint32(len(alphabet))
	floor := 256 % n
	for used < len(src) && made < len(dst) {
		product := uint32(src[used]) * n
		used++
		if product&0xff < floor {
			continue
		}
		dst[made] = alphabet[product>>8]
		made++
	}
	return used, made
}
