package deliver

import "context"

// Turn sends all messages that are due, and returns after the last answer.
func (d *Deliverer) Turn(ctx context.Context) error {
	err := d.turn(ctx)
	d.working.Wait()
	return err
}

// Begin begins to send all messages that are due.
func (d *Deliverer) Begin(ctx context.Context) error { return d.turn(ctx) }

// Wait waits for the end of what Begin began.
func (d *Deliverer) Wait() { d.working.Wait() }

// Age is age.
func (d *Deliverer) Age() float64 { return d.age() }
