package server

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/keyfob-dev/keyfob"
)

// metrics are the figures of one Server. Their labels are patterns of routes,
// methods and words of the server's own; nothing that a request holds becomes one,
// so that there are no more of them than can be counted beforehand, and none
// tells of a space, a subject or a credential.
type metrics struct {
	registry      *prometheus.Registry
	requests      *prometheus.HistogramVec // by method, route and class of status
	busy          prometheus.Counter
	verifications *prometheus.CounterVec // by reason
	callers       *prometheus.CounterVec // by reason
	connections   *prometheus.GaugeVec   // by listener
}

// newMetrics makes the figures of a Server that has so many requests at work.
func newMetrics(atWork *atomic.Int64) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "keyfob_http_request_duration_seconds",
			Help:    "Requests that were answered, by the time that it took.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route", "status"}),
		busy: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "keyfob_http_requests_refused_busy_total",
			Help: "Requests that were refused because too many were at work.",
		}),
		verifications: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keyfob_verifications_total",
			Help: "Verdicts on secrets that callers asked about, by reason; ok is a good one, undecided none at all.",
		}, []string{"reason"}),
		callers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "keyfob_callers_refused_total",
			Help: "Tokens that were presented as a caller's and are not good, by reason.",
		}, []string{"reason"}),
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "keyfob_connections",
			Help: "Connections that are open.",
		}, []string{"listener"}),
	}
	m.registry.MustRegister(m.requests, m.busy, m.verifications, m.callers, m.connections,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "keyfob_http_requests_at_work",
			Help: "Requests that are being worked on; those that need no caller do not count.",
		}, func() float64 { return float64(atWork.Load()) }),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// classes are those of HTTP statuses.
var classes = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}

// answered counts a request that has its answer.
func (m *metrics) answered(x *exchange) {
	class := "none"
	if i := x.status / 100; 1 <= i && i <= len(classes) {
		class = classes[i-1]
	}
	m.requests.WithLabelValues(x.method, x.route, class).Observe(time.Since(x.start).Seconds())
}

// refused counts a request for which there was no room.
func (m *metrics) refused() { m.busy.Inc() }

// verified counts a verdict.
func (m *metrics) verified(err error) {
	reason := keyfob.Reason(err)
	if reason == "" {
		reason = "undecided"
	}
	m.verifications.WithLabelValues(reason).Inc()
}

// callerRefused counts a token that is not, or no longer, a caller's.
func (m *metrics) callerRefused(reason string) { m.callers.WithLabelValues(reason).Inc() }

// opened and closed count the connections of a listener.
func (m *metrics) opened(listener string) { m.connections.WithLabelValues(listener).Inc() }
func (m *metrics) closed(listener string) { m.connections.WithLabelValues(listener).Dec() }

// answerMetrics answers with the figures in the text format of Prometheus.
func (x *exchange) answerMetrics(r *http.Request) {
	promhttp.HandlerFor(x.server.metrics.registry, promhttp.HandlerOpts{
		ErrorHandling:      promhttp.PanicOnError, // which ends as any other fault of the server
		DisableCompression: true,
	}).ServeHTTP(x, r)
}
