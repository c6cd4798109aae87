package server

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/keyfob-dev/keyfob"
)

// metrics are the figures of one Server. Their labels are patterns of routes,
// methods and words of the server's own; nothing that a request holds becomes one,
// so that there are no more of them than can be counted beforehand, and none
// tells of a space, a subject or a credential.
type metrics struct {
	requests      family[histogram] // by method, route and class of status
	busy          family[atomic.Int64]
	verifications family[atomic.Int64] // by reason
	callers       family[atomic.Int64] // by reason
	connections   family[atomic.Int64] // by listener
	atWork        *atomic.Int64        // the Server's own
}

// newMetrics makes the figures of a Server that has so many requests at work.
func newMetrics(atWork *atomic.Int64) *metrics {
	m := &metrics{
		requests: family[histogram]{about: about{
			name: "keyfob_http_request_duration_seconds",
			kind: "histogram",
			help: "Requests that were answered, by the time that it took.",
		}, names: []string{"method", "route", "status"}},
		busy: family[atomic.Int64]{about: about{
			name: "keyfob_http_requests_refused_busy_total",
			kind: "counter",
			help: "Requests that were refused because too many were at work.",
		}},
		verifications: family[atomic.Int64]{about: about{
			name: "keyfob_verifications_total",
			kind: "counter",
			help: "Verdicts on secrets that callers asked about, by reason; ok is a good one, undecided none at all.",
		}, names: []string{"reason"}},
		callers: family[atomic.Int64]{about: about{
			name: "keyfob_callers_refused_total",
			kind: "counter",
			help: "Tokens that were presented as a caller's and are not good, by reason.",
		}, names: []string{"reason"}},
		connections: family[atomic.Int64]{about: about{
			name: "keyfob_connections",
			kind: "gauge",
			help: "Connections that are open.",
		}, names: []string{"listener"}},
		atWork: atWork,
	}
	m.busy.at(values{}) // 0 is told as well
	return m
}

// atWorkFigure is that of the requests at work.
var atWorkFigure = about{
	name: "keyfob_http_requests_at_work",
	kind: "gauge",
	help: "Requests that are being worked on; those that need no caller do not count.",
}

// classes are those of HTTP statuses.
var classes = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}

// answered counts a request that has its answer.
func (m *metrics) answered(x *exchange) {
	class := "none"
	if i := x.status/100 - 1; 0 <= i && i < len(classes) {
		class = classes[i]
	}
	m.requests.at(values{x.method, x.route, class}).observe(time.Since(x.start))
}

// refused counts a request for which there was no room.
func (m *metrics) refused() { m.busy.at(values{}).Add(1) }

// verified counts a verdict.
func (m *metrics) verified(err error) {
	reason := keyfob.Reason(err)
	if reason == "" {
		reason = "undecided"
	}
	m.verifications.at(values{reason}).Add(1)
}

// callerRefused counts a token that is not, or no longer, a caller's.
func (m *metrics) callerRefused(reason string) { m.callers.at(values{reason}).Add(1) }

// opened and closed count the connections of a listener.
func (m *metrics) opened(listener string) { m.connections.at(values{listener}).Add(1) }
func (m *metrics) closed(listener string) { m.connections.at(values{listener}).Add(-1) }

// write writes the figures of the Server.
func (m *metrics) write(e *exposition) {
	m.connections.write(e, writeNumber)
	m.requests.write(e, writeHistogram)
	e.single(atWorkFigure, float64(m.atWork.Load()))
	m.busy.write(e, writeNumber)
	m.verifications.write(e, writeNumber)
	m.callers.write(e, writeNumber)
}

// answerMetrics answers with the figures of the Server and its process.
func (x *exchange) answerMetrics(*http.Request) {
	var e exposition
	x.server.metrics.write(&e)
	writeRuntime(&e)
	writeProcess(&e)
	x.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	x.Write(e.text) // whether it arrives is the caller's business
}
