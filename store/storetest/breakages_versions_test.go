package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keyfob-dev/keyfob/store"
)

var brokenVersions = []breakage{
	{"all versions are the newest first", on(checkVersions, checkModel), onVersions(reversed)},
	{"all versions are as they came", on(checkVersions, checkModel),
		onVersions(func(versions []store.Version) []store.Version {
			slices.SortFunc(versions, func(a, b store.Version) int { return a.Created.Compare(b.Created) })
			return versions
		})},
	{"numbers of versions are text", on(checkVersions),
		onVersions(func(versions []store.Version) []store.Version {
			slices.SortFunc(versions, func(a, b store.Version) int { return cmp.Compare(fmt.Sprint(a.Number), fmt.Sprint(b.Number)) })
			return versions
		})},
	{"all versions are two", on(checkVersions, checkModel),
		onVersions(func(versions []store.Version) []store.Version { return versions[max(0, len(versions)-2):] })},
	{"all versions are a hundred at most", on(checkVersions),
		onVersions(func(versions []store.Version) []store.Version { return versions[:min(len(versions), 100)] })},
	{"what has an end is none of all versions", on(checkVersions, checkModel,
		"Concurrency/reads see whole changes only",
	),
		onVersions(func(versions []store.Version) []store.Version {
			return slices.DeleteFunc(versions, func(v store.Version) bool { return !v.Ends.IsZero() })
		})},
	{"no versions are an empty list", on(checkNone, "Memory/a nil and an empty slice or map are the same, and come back as nil", checkModel),
		onVersions(func(versions []store.Version) []store.Version { return append([]store.Version{}, versions...) })},
	{"versions in other spaces are found", on(checkNone, checkModel), anyVersions},
	{"versions of a version are found", on(checkNone, checkModel), func(s store.Store) store.Store {
		return &broken{Store: s, versions: func(ctx context.Context, space, credential string) ([]store.Version, error) {
			if item, err := s.Credential(ctx, space, credential); err == nil {
				credential = item.Credential.ID
			}
			return s.Versions(ctx, space, credential)
		}}
	}},
	{"no versions are an error", on(checkNone, checkModel), func(s store.Store) store.Store {
		return &broken{Store: s, versions: func(ctx context.Context, space, credential string) ([]store.Version, error) {
			versions, err := s.Versions(ctx, space, credential)
			if err == nil && versions == nil {
				err = store.ErrNotFound
			}
			return versions, err
		}}
	}},
	{"all versions are read one by one", on("Concurrency/reads see whole changes only"), tornVersions},
	{"all versions lack their sealed secrets", on(checkVersions, "Records/bytes come back as they were", checkModel),
		onVersions(func(versions []store.Version) []store.Version {
			for i := range versions {
				versions[i].Sealed = nil
			}
			return versions
		})},
	{"a version lacks its sealed secret", on(
		"Reads/Version returns the version with that id, and its credential", "Records/bytes come back as they were", checkModel,
	), onVersion(func(found *store.Found) { found.Version.Sealed = nil })},
	{"versions of an item lack their sealed secrets", on(
		"Reads/Credential returns the credential whose id, or one of whose versions' id, is id", checkModel,
	), onItem(func(item *store.Item) {
		for i := range item.Versions {
			item.Versions[i].Sealed = nil
		}
	})},
	{"a sealed secret is the digest", on("Conditions/CreateVersion adds a version", checkModel),
		onVersion(func(found *store.Found) { found.Version.Sealed = copyBytes(found.Version.Digest) })},
	{"a secret that is not kept is empty", on("Memory/a nil and an empty slice or map are the same, and come back as nil", checkModel),
		onVersion(func(found *store.Found) {
			if found.Version.Sealed == nil {
				found.Version.Sealed = []byte{}
			}
		})},
	{"a sealed secret that was passed is kept", on("Memory/a store does not keep what the caller passed"), keepsSealed},
	{"contexts of reads of versions are ignored", on(checkEnded), func(s store.Store) store.Store {
		return &broken{Store: s, versions: func(ctx context.Context, space, credential string) ([]store.Version, error) {
			return s.Versions(context.WithoutCancel(ctx), space, credential)
		}}
	}},
	{"a closed store has no versions", on("Close/later calls answer ErrUnavailable"), func(s store.Store) store.Store {
		return &broken{Store: s, versions: func(ctx context.Context, space, credential string) ([]store.Version, error) {
			versions, err := s.Versions(ctx, space, credential)
			if errors.Is(err, store.ErrUnavailable) {
				err = nil
			}
			return versions, err
		}}
	}},
}

var brokenPurposes = []breakage{
	{"purposes do not narrow", on(checkPurpose, "Order/a Query narrows by all of its fields together", checkModel),
		narrowsWrong(func(store.Query, store.Credential) bool { return true }, func(q *store.Query) { q.Purpose = "" })},
	{"purposes are of any case", on(checkPurpose),
		narrowsWrong(func(q store.Query, c store.Credential) bool {
			return q.Purpose == "" || strings.EqualFold(c.Purpose, q.Purpose)
		}, func(q *store.Query) { q.Purpose = "" })},
	{"no purpose narrows as well", on(checkPurpose, checkModel),
		narrowsWrong(func(q store.Query, c store.Credential) bool { return c.Purpose == q.Purpose }, func(q *store.Query) { q.Purpose = "" })},
	{"purposes narrow only with a subject", on(checkPurpose, checkModel),
		narrowsWrong(func(q store.Query, c store.Credential) bool {
			return q.Purpose == "" || q.Subject == "" || c.Purpose == q.Purpose
		}, func(q *store.Query) { q.Purpose = "" })},
	{"purposes are filtered after the limit", on(checkPurpose, "Order/a Query narrows by all of its fields together", checkModel),
		func(s store.Store) store.Store {
			return &broken{Store: s, credentials: func(ctx context.Context, q store.Query) ([]store.Item, error) {
				purpose := q.Purpose
				q.Purpose = ""
				items, err := s.Credentials(ctx, q)
				return slices.DeleteFunc(items, func(item store.Item) bool {
					return purpose != "" && item.Credential.Purpose != purpose
				}), err
			}}
		}},
}

// reversed turns versions round.
func reversed(versions []store.Version) []store.Version {
	slices.Reverse(versions)
	return versions
}
