package nonce_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/keyfob-dev/keyfob/nonce"
	"github.com/keyfob-dev/keyfob/random"
)

func ExampleRandom() {
	n := nonce.Random(12) // for one message with AES-GCM
	fmt.Println(len(n))
	// Output: 12
}

func ExampleMaxMessages() {
	for _, n := range []int{12, 16, 24, 32} {
		fmt.Printf("%d bytes: 2^%d messages\n", n, nonce.MaxMessages(n).BitLen()-1)
	}
	// Output:
	// 12 bytes: 2^32 messages
	// 16 bytes: 2^48 messages
	// 24 bytes: 2^80 messages
	// 32 bytes: 2^112 messages
}

func ExampleCheckSize() {
	fmt.Println(nonce.CheckSize(8))
	// Output: wrong size of a nonce: 8 bytes; ciphers take 12, 16, 24 or 32
}

func ExampleCreateKey() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	secret := random.Bytes(nonce.KeySize) // to be kept where secrets are
	config := nonce.KeyConfig{Store: nonce.File(filepath.Join(dir, "backup.count"))}

	// Once, when the key is new. Where there is no File, see Store.
	k, err := nonce.CreateKey(secret, config)
	if errors.Is(err, errors.ErrUnsupported) {
		config.Store = new(nonce.Memory)
		k, err = nonce.CreateKey(secret, config)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	sealed, err := k.Seal(nil, []byte("attack at dawn"), []byte("message 1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(sealed), "bytes")

	// In every other process.
	k, err = nonce.OpenKey(secret, config)
	if err != nil {
		fmt.Println(err)
		return
	}
	message, err := k.Open(nil, sealed, []byte("message 1"))
	fmt.Printf("%s, %v\n", message, err)
	_, err = k.Open(nil, sealed, []byte("message 2"))
	fmt.Println(err)
	// Output:
	// 42 bytes
	// attack at dawn, <nil>
	// message is not authentic
}

func ExampleOpenKey() {
	_, err := nonce.OpenKey(random.Bytes(nonce.KeySize), nonce.KeyConfig{Store: new(nonce.Memory)})
	fmt.Println(errors.Is(err, nonce.ErrMissing)) // the count was lost: replace the key
	// Output: true
}

func ExampleOpenOnly() {
	secret := random.Bytes(nonce.KeySize)
	k, err := nonce.OpenOnly(secret, nonce.XChaCha20Poly1305)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = k.Seal(nil, []byte("attack at dawn"), nil)
	fmt.Println(err)
	// Output: this key only opens messages; CreateKey and OpenKey return one that also seals
}

func ExampleKeyConfig() {
	k, err := nonce.CreateKey(random.Bytes(nonce.KeySize), nonce.KeyConfig{
		Algorithm: nonce.XChaCha20Poly1305,
		Store:     new(nonce.Memory), // the key dies with the process
		Limit:     16,
		Warn:      func(used, limit uint64) { fmt.Printf("%d of %d: time for a new key\n", used, limit) },
	})
	for err == nil {
		_, err = k.Seal(nil, []byte("attack at dawn"), nil)
	}
	fmt.Println(err)
	// Output:
	// 15 of 16: time for a new key
	// seal: used up: 16 of 16; replace the key
}

func ExampleKey_Seal() {
	k, err := nonce.CreateKey(random.Bytes(nonce.KeySize), nonce.KeyConfig{Store: new(nonce.Memory)})
	if err != nil {
		fmt.Println(err)
		return
	}
	// One buffer for many messages, and no allocation for any.
	buf := make([]byte, 0, 64+k.Overhead())
	for i := range 3 {
		message := fmt.Appendf(buf, "message %d", i)
		sealed, err := k.Seal(message[:0], message, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		message, err = k.Open(sealed[:0], sealed, nil)
		fmt.Printf("%s, %v\n", message, err)
	}
	// Output:
	// message 0, <nil>
	// message 1, <nil>
	// message 2, <nil>
}

func ExampleCreateCounter() {
	c, err := nonce.CreateCounter(nonce.CounterConfig{
		Prefix: []byte{0, 0, 0, 1}, // of this machine
		Store:  new(nonce.Memory),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		n, err := c.Next()
		fmt.Printf("%x %v\n", n, err)
	}
	// Output:
	// 000000010000000000000000 <nil>
	// 000000010000000000000001 <nil>
}

func ExampleOpenCounter() {
	store := new(nonce.Memory) // stands for a row of a database
	config := nonce.CounterConfig{Store: store, Block: 100}
	c, err := nonce.CreateCounter(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	n, _ := c.Next()
	fmt.Printf("%x\n", n)

	// After a restart, what was reserved is lost, and nothing comes twice.
	c, err = nonce.OpenCounter(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	n, _ = c.Next()
	fmt.Printf("%x\n", n)
	// Output:
	// 000000000000000000000000
	// 000000000000000000000064
}
