mod broadcast;
mod discovery;
mod liveness;
mod script;
mod strangers;
mod synchronization;
