package sandbox

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-faster/jx"
	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

const (
	// maxBody is five times the largest body that can be right: 1000 IDs of 32 bytes, every byte escaped like \u0041.
	maxBody = 1 << 20

	// maxUserSig keeps a UserSig from being inflated to more than a few megabytes; real ones have some 200 to 400 bytes.
	maxUserSig = 4 << 10

	maxTo = 1000 // https://www.tencentcloud.com/document/product/1047/34905 and /34907
	maxID = 32   // https://www.tencentcloud.com/document/product/1047/33517
)

// check reads the request into x and returns the code that it is refused with, or 0. Which of several mistakes is named
// first is a guess: URL, then UserSig, then body.
func (s *Server) check(w http.ResponseWriter, r *http.Request, x *exchange) (code int) {
	// The body is read before anything is judged: an answer that leaves it unread would cost the client its connection, and
	// net/http notices that a client goes away only once the body is read.
	readErr := x.read(http.MaxBytesReader(w, r.Body, maxBody))
	if code := s.checkURL(r, x); code != 0 {
		return code
	}
	if readErr != nil || !utf8.Valid(x.body) {
		return codeBadJSON
	}
	if code := x.decode(); code != 0 {
		return code
	}
	return s.checkAccounts(x)
}

func (x *exchange) read(r io.Reader) error {
	buf := bytes.NewBuffer(x.body)
	_, err := buf.ReadFrom(r)
	x.body = buf.Bytes()
	return err
}

// checkURL checks method, path and query. The codes for a wrong method, random or contenttype are guesses.
func (s *Server) checkURL(r *http.Request, x *exchange) (code int) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	x.service = s.services[r.URL.Path]
	x.userSig = query.Get("usersig")
	identifier, app := query.Get("identifier"), query.Get("sdkappid")
	_, randomErr := strconv.ParseUint(query.Get("random"), 10, 32)
	switch {
	case err != nil, r.Method != http.MethodPost, x.service == nil, randomErr != nil, query.Get("contenttype") != "json":
		return codeBadURL
	case app == "":
		return codeNoApp
	case app != strconv.Itoa(s.opts.AppID):
		return codeWrongApp
	case identifier == "":
		return codeBadAccount
	case x.userSig == "":
		return codeNoUserSig
	}
	if code := s.checkUserSig(identifier, x.userSig); code != 0 {
		return code
	}
	if identifier != s.opts.Identifier {
		return codeNotAdmin
	}
	return 0
}

// verified remembers the good UserSigs of the second that is running, since decoding one costs more than a small request.
// The verification looks at whole seconds alone, so within one its verdict cannot change and the memory is exact.
type verified struct {
	mu     sync.Mutex
	second int64
	sigs   map[credential]struct{}
}

type credential struct{ identifier, userSig string }

// maxVerified bounds the memory; callers share one UserSig, or a few around a renewal.
const maxVerified = 64

func (v *verified) has(c credential, second int64) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, ok := v.sigs[c]
	return ok && v.second == second
}

func (v *verified) add(c credential, second int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.second != second || v.sigs == nil || len(v.sigs) >= maxVerified {
		v.second, v.sigs = second, make(map[credential]struct{})
	}
	v.sigs[c] = struct{}{}
}

func (s *Server) checkUserSig(identifier, userSig string) (code int) {
	if len(userSig) > maxUserSig {
		return codeUserSigUnreadable
	}
	now, c := time.Now(), credential{identifier, userSig}
	if s.verified.has(c, now.Unix()) {
		return 0
	}
	err := tencentyun.VerifyUserSig(uint64(s.opts.AppID), s.opts.Key, identifier, userSig, now)
	if err == nil {
		s.verified.add(c, now.Unix())
	}
	return userSigCode(err)
}

func userSigCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, tencentyun.ErrExpired):
		return codeUserSigExpired
	case errors.Is(err, tencentyun.ErrSigNotMatch):
		return codeUserSigWrongKey
	case errors.Is(err, tencentyun.ErrIdentifierNotMatch):
		return codeUserSigWrongAccount
	case errors.Is(err, tencentyun.ErrSdkAppIDNotMatch):
		return codeUserSigWrongApp
	case errors.Is(err, tencentyun.ErrUserBufTypeNotMatch):
		return codeUserSigIllegal // made for another product, with a permission field in it
	}
	return codeUserSigUnreadable
}

// The fields of the request body, as bits.
const (
	hasFrom = 1 << iota
	hasTo
	hasType
)

// decode takes the body apart. Unknown fields are skipped; a field that occurs twice is refused (guess: it is certainly a
// mistake of ours). A missing DeleteType is refused although the API calls it optional (guess), as a missing CheckType is:
// its default is not documented, and friendsweep promises always to send it.
func (x *exchange) decode() (code int) {
	x.decoder.ResetBytes(x.body)
	fields, err := x.decoder.ObjIter()
	if err != nil {
		return codeBadJSON
	}
	have := 0
	for fields.Next() {
		bit, code := x.field(string(fields.Key()))
		if code != 0 {
			return code
		}
		if have&bit != 0 {
			return codeBadJSON
		}
		have |= bit
	}
	if fields.Err() != nil || !errors.Is(x.decoder.Skip(), io.EOF) {
		return codeBadJSON
	}
	if have != hasFrom|hasTo|hasType {
		return codeBadParameter
	}
	return 0
}

func (x *exchange) field(name string) (bit, code int) {
	switch name {
	case "From_Account":
		x.from, code = x.id()
		return hasFrom, code
	case "To_Account":
		return hasTo, x.decodeTo()
	case x.service.option:
		return hasType, x.decodeType()
	}
	if x.decoder.Skip() != nil {
		return 0, codeBadJSON
	}
	return 0, 0
}

// id reads a string that should be an account.
func (x *exchange) id() ([]byte, int) {
	switch x.decoder.Next() {
	case jx.String:
	case jx.Invalid:
		return nil, codeBadJSON
	default:
		return nil, codeAccountNoString
	}
	start := len(x.text)
	text, err := x.decoder.StrAppend(x.text)
	if err != nil {
		return nil, codeBadJSON
	}
	x.text = text
	return text[start:], 0
}

func (x *exchange) decodeTo() (code int) {
	list, err := x.decoder.ArrIter()
	if err != nil {
		return codeBadJSON
	}
	for list.Next() {
		to, code := x.id()
		if code != 0 {
			return code
		}
		if len(x.items) == maxTo {
			return codeBadParameter
		}
		x.items = append(x.items, item{to: to})
	}
	if list.Err() != nil {
		return codeBadJSON
	}
	return 0
}

func (x *exchange) decodeType() (code int) {
	name, err := x.decoder.StrBytes()
	if err != nil {
		return codeBadJSON
	}
	switch string(name) {
	case x.service.single:
		x.both = false
	case x.service.both:
		x.both = true
	default:
		return codeBadParameter
	}
	return 0
}

// checkAccounts checks the IDs and hashes them. Refusing the whole request for one bad or repeated ID is a guess; it is the
// answer that makes the caller split.
func (s *Server) checkAccounts(x *exchange) (code int) {
	if len(x.items) == 0 || !validID(x.from) {
		return codeBadParameter
	}
	x.account = s.friends.ident(x.from)
	for i := range x.items {
		it := &x.items[i]
		if !validID(it.to) {
			return codeBadParameter
		}
		it.id = s.friends.ident(it.to)
		x.seen[it.id] = struct{}{}
	}
	if len(x.seen) != len(x.items) {
		return codeBadParameter
	}
	return 0
}

// validID holds IDs to printable ASCII, which is the rule of the vendor's client SDKs.
func validID(id []byte) bool {
	for _, c := range id {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return len(id) > 0 && len(id) <= maxID
}
