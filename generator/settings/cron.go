package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"garnix2gha/generator/diag"
)

// cronField is one of the five fields: what its numbers mean and which it may have.
type cronField struct {
	name      string
	low, high int
	words     []string // names of the numbers from low on
}

func cronFields() []cronField {
	return []cronField{
		{name: "minute", low: 0, high: 59},
		{name: "hour", low: 0, high: 23},
		{name: "day of the month", low: 1, high: 31},
		{name: "month", low: 1, high: 12,
			words: []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
		{name: "day of the week", low: 0, high: 6, words: []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
	}
}

// schedule accepts POSIX cron as GitHub does: no @daily, no seconds, no Sunday as 7.
func (p *parser) schedule(text string) {
	c := complaint{code: "bad-schedule", hint: `for example "23 4 * * *" for 04:23 UTC every day, or off`}
	for i, field := range strings.Fields(text) {
		kind := cronFields()[i]
		numbers, ok := kind.numbers(field)
		switch {
		case !ok:
			c.message = fmt.Sprintf("has a %s from %d to %d, not %s", kind.name, kind.low, kind.high, diag.Excerpt(field))
		case i == 0 && tooOften(numbers):
			c.message = "must not run more often than every five minutes, which GitHub does not"
		default:
			continue
		}
		p.complain("schedule", c)
	}
}

// numbers returns the numbers that a field stands for, sorted; ok is false for what cron does not know.
func (f cronField) numbers(text string) (numbers []int, ok bool) {
	for item := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			var err error
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return nil, false
			}
		}
		low, high := f.low, f.high
		if span != "*" {
			first, last, ranged := strings.Cut(span, "-")
			if low, ok = f.number(first); !ok {
				return nil, false
			}
			if ranged {
				if high, ok = f.number(last); !ok || high < low {
					return nil, false
				}
			} else if !stepped {
				high = low
			}
		}
		for n := low; n <= high; n += min(step, f.high+1) {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), true
}

func (f cronField) number(text string) (int, bool) {
	if i := slices.Index(f.words, strings.ToUpper(text)); i >= 0 {
		return f.low + i, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= f.low && n <= f.high
}

// tooOften reports minutes of one hour less than five apart.
func tooOften(minutes []int) bool {
	for i := 1; i < len(minutes); i++ {
		if minutes[i]-minutes[i-1] < 5 {
			return true
		}
	}
	return false
}
