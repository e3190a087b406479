'use strict';
// The sandbox's own time. Everything a dialect does by the clock (timestamps, token lifetimes,
// search lag, rate windows) goes through here, so that a test moves time instead of sleeping.
class Clock {
	constructor() {
		this.offset = 0;      // moves the whole world
		this.dateOffset = 0;  // moves only the Date header: a peer whose clock is wrong
	}
	now() { return Date.now() + this.offset; }
	iso() { return new Date(this.now()).toISOString(); }
	httpDate() { return new Date(this.now() + this.dateOffset).toUTCString(); }
}
module.exports = { Clock };
