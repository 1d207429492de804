package deliver

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"gistdeal"
)

type metrics struct {
	attempts *prometheus.CounterVec
	waiting  prometheus.Gauge
}

// watch registers the metrics.
func (d *Deliverer) watch(r prometheus.Registerer) metrics {
	f := promauto.With(r)
	f.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "gistdeal_webhook_oldest_seconds", Help: "Age of the oldest message that an enabled webhook has not got; 0 if there is none.",
	}, d.age)
	m := metrics{f.NewCounterVec(prometheus.CounterOpts{
		Name: "gistdeal_webhook_attempts_total", Help: "Attempts to send a message to a webhook, by what became of the message.",
	}, []string{"result"}), f.NewGauge(prometheus.GaugeOpts{
		Name: "gistdeal_webhook_waiting", Help: "Events that the enabled webhook furthest behind has not got or passed over, counted once a minute, up to 10,000.",
	})}
	for _, state := range gistdeal.DeliveryStates {
		m.attempts.WithLabelValues(string(state))
	}
	return m
}

// count counts an attempt.
func (m metrics) count(d gistdeal.Delivery) { m.attempts.WithLabelValues(string(d.State)).Inc() }

// age returns the age of the oldest message that a webhook has not got, in seconds.
func (d *Deliverer) age() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	oldest := time.Duration(0)
	for _, at := range d.since {
		oldest = max(oldest, d.now().Sub(at))
	}
	return oldest.Seconds()
}
