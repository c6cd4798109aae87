package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/keyfob-dev/keyfob/nonce"
)

func nonceRows() []row {
	var rows []row
	for _, a := range []nonce.Algorithm{nonce.AES256GCM, nonce.XChaCha20Poly1305} {
		rows = append(rows,
			row{
				name:    "nonce.Key.Seal, 1 KiB, " + a.String() + " : the bare AEAD",
				targets: []target{{cpu, atMost, 1.1}},
				prepare: func(*env) (side, side, error) { return sealing(a) },
			},
			row{
				name:    "nonce.Key.Open, 1 KiB, " + a.String() + " : the bare AEAD",
				targets: []target{{cpu, atMost, 1.1}},
				prepare: func(*env) (side, side, error) { return opening(a) },
			})
	}
	return rows
}

// newKeys returns a Key and the AEAD that it works with.
func newKeys(a nonce.Algorithm) (*nonce.Key, cipher.AEAD, error) {
	secret := make([]byte, nonce.KeySize)
	rand.Read(secret)
	k, err := nonce.CreateKey(secret, nonce.KeyConfig{Algorithm: a, Store: new(nonce.Memory)})
	if err != nil {
		return nil, nil, err
	}
	if a == nonce.XChaCha20Poly1305 {
		aead, err := chacha20poly1305.NewX(secret)
		return k, aead, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	return k, aead, err
}

// sealing seals a message. Both sides draw its nonce, and only the Key counts it.
func sealing(a nonce.Algorithm) (ours, peer side, err error) {
	k, aead, err := newKeys(a)
	if err != nil {
		return ours, peer, err
	}
	message, room := make([]byte, 1024), make([]byte, 0, 2048)
	ours.run = func(n int) error {
		for range n {
			if _, err := k.Seal(room, message, nil); err != nil {
				return err
			}
		}
		return nil
	}
	size := aead.NonceSize()
	peer.run = func(n int) error {
		for range n {
			drawn := room[:size]
			rand.Read(drawn)
			aead.Seal(drawn, drawn, message, nil)
		}
		return nil
	}
	return ours, peer, nil
}

// opening opens the same message again and again.
func opening(a nonce.Algorithm) (ours, peer side, err error) {
	k, aead, err := newKeys(a)
	if err != nil {
		return ours, peer, err
	}
	sealed, err := k.Seal(nil, make([]byte, 1024), nil)
	if err != nil {
		return ours, peer, err
	}
	room, size := make([]byte, 0, 2048), aead.NonceSize()
	ours.run = func(n int) error {
		for range n {
			if _, err := k.Open(room, sealed, nil); err != nil {
				return err
			}
		}
		return nil
	}
	peer.run = func(n int) error {
		for range n {
			if _, err := aead.Open(room, sealed[:size], sealed[size:], nil); err != nil {
				return err
			}
		}
		return nil
	}
	return ours, peer, nil
}
