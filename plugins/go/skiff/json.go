package skiff

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

var nan = math.NaN()

func floatBits(value float64) uint64 { return math.Float64bits(value) }

// JSON is the text of a value, read where it lies: encoding/json would double the module.
type JSON string

// cursor walks over the values inside one object or array.
type cursor struct{ rest string }

func inside(value JSON, open byte) cursor {
	text := strings.TrimSpace(string(value))
	if text == "" || text[0] != open {
		return cursor{}
	}
	return cursor{text[1:]}
}

// next returns the next value, and "" at the end.
func (at *cursor) next() JSON {
	at.rest = strings.TrimLeft(at.rest, " \t\r\n,:")
	depth, end := 0, 0
	for end < len(at.rest) {
		switch letter := at.rest[end]; letter {
		case '"':
			for end++; end < len(at.rest) && at.rest[end] != '"'; end++ {
				if at.rest[end] == '\\' {
					end++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return at.take(end)
			}
		}
		if depth < 0 {
			return at.take(end)
		}
		end++
		if depth == 0 && (at.rest[0] == '"' || at.rest[0] == '{' || at.rest[0] == '[') {
			return at.take(min(end, len(at.rest)))
		}
	}
	return at.take(min(end, len(at.rest)))
}

func (at *cursor) take(end int) JSON {
	value := at.rest[:end]
	at.rest = at.rest[end:]
	return JSON(value)
}

// Member returns a member of an object; "" when it is absent.
func (value JSON) Member(name string) JSON {
	at := inside(value, '{')
	for {
		key := at.next()
		member := at.next()
		if member == "" || key.String() == name {
			return member
		}
	}
}

// IsSet tells whether the value is neither absent nor null.
func (value JSON) IsSet() bool { return value != "" && value != "null" }

// String returns the content of a string without escapes; "" when it is none.
func (value JSON) String() string {
	if len(value) < 2 || value[0] != '"' || strings.ContainsRune(string(value), '\\') {
		return ""
	}
	return string(value[1 : len(value)-1])
}

// Number returns the number; NaN when it is none.
func (value JSON) Number() float64 {
	if value == "" || value[0] != '-' && (value[0] < '0' || value[0] > '9') {
		return nan
	}
	number, err := strconv.ParseFloat(string(value), 64)
	if err != nil {
		return nan
	}
	return number
}

// decode returns the content of a string with its escapes decoded; false when it is none.
func (value JSON) decode() (string, bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	inner := string(value[1 : len(value)-1])
	if !strings.ContainsRune(inner, '\\') {
		return inner, true
	}
	// The escapes of JSON are those of Go but for one, and surrogate pairs.
	var text []byte
	for inner != "" {
		if inner[0] != '\\' {
			text, inner = append(text, inner[0]), inner[1:]
			continue
		}
		if len(inner) > 1 && inner[1] == '/' {
			text, inner = append(text, '/'), inner[2:]
			continue
		}
		if len(inner) >= 12 && inner[1] == 'u' && inner[6:8] == `\u` {
			high, err := strconv.ParseUint(inner[2:6], 16, 16)
			low, other := strconv.ParseUint(inner[8:12], 16, 16)
			if err == nil && other == nil && high&0xfc00 == 0xd800 && low&0xfc00 == 0xdc00 {
				text = utf8.AppendRune(text, rune(0x10000+(high&0x3ff)<<10+low&0x3ff))
				inner = inner[12:]
				continue
			}
		}
		if len(inner) >= 6 && inner[1] == 'u' {
			code, err := strconv.ParseUint(inner[2:6], 16, 16)
			if err != nil {
				return "", false
			}
			text, inner = utf8.AppendRune(text, rune(code)), inner[6:]
			continue
		}
		letter, _, rest, err := strconv.UnquoteChar(inner, '"')
		if err != nil {
			return "", false
		}
		text, inner = utf8.AppendRune(text, letter), rest
	}
	return string(text), true
}

// cut returns the longest beginning of whole characters that has at most so many bytes.
func cut(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	for bytes > 0 && !utf8.RuneStart(text[bytes]) {
		bytes--
	}
	return text[:bytes]
}

// appendQuoted appends a text as a JSON string.
func appendQuoted(to []byte, text string) []byte {
	to = append(to, '"')
	for at := 0; at < len(text); at++ {
		switch letter := text[at]; {
		case letter == '"' || letter == '\\':
			to = append(to, '\\', letter)
		case letter < 0x20:
			to = append(to, `\u00`...)
			to = append(to, "01"[letter>>4], "0123456789abcdef"[letter&15])
		default:
			to = append(to, letter)
		}
	}
	return append(to, '"')
}

// Fixed returns a number with at most so many decimals (0 to 15), rounded half up, without trailing zeros.
func Fixed(value float64, decimals int) string { return string(appendFixed(nil, value, decimals)) }

// appendFixed rounds as hosts that read rows do; a number with more digits than are exact is written as it is.
func appendFixed(to []byte, value float64, decimals int) []byte {
	scaled := math.Abs(value) * math.Pow10(decimals)
	if !(scaled < 1<<53) {
		return strconv.AppendFloat(to, value, 'f', -1, 64)
	}
	if scaled < 1<<52 {
		scaled += 0.5
	}
	digits, places := uint64(scaled), decimals
	for places > 0 && digits%10 == 0 {
		digits, places = digits/10, places-1
	}
	if value < 0 && digits != 0 {
		to = append(to, '-')
	}
	text := strconv.FormatUint(digits, 10)
	if places == 0 {
		return append(to, text...)
	}
	if len(text) <= places {
		text = strings.Repeat("0", places-len(text)+1) + text
	}
	to = append(to, text[:len(text)-places]...)
	to = append(to, '.')
	return append(to, text[len(text)-places:]...)
}

// millis returns the milliseconds since 1970 of YYYY-MM-DDThh:mm:ss[.f]Z; 0 when it is none.
func millis(text string) int64 {
	if len(text) < 20 || text[len(text)-1] != 'Z' || text[10] != 'T' {
		return 0
	}
	var part [6]int64
	for index, from := range [6]int{0, 5, 8, 11, 14, 17} {
		to := from + 2
		if index == 0 {
			to = 4
		}
		number, err := strconv.ParseUint(text[from:to], 10, 16)
		if err != nil {
			return 0
		}
		part[index] = int64(number)
	}
	fraction := strings.TrimPrefix(text[19:len(text)-1], ".") + "000"
	ms, err := strconv.ParseUint(fraction[:3], 10, 16)
	if err != nil {
		return 0
	}
	// Years begin in March here, so that the leap day is the last of its year.
	year := part[0]
	if part[1] <= 2 {
		year--
	}
	days := 365*year + year/4 - year/100 + year/400 + (153*((part[1]+9)%12)+2)/5 + part[2] - 1 - 719_468
	return (((days*24+part[3])*60+part[4])*60+part[5])*1000 + int64(ms)
}
