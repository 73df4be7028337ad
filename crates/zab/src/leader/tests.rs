mod broadcast;
mod confirmation;
mod discovery;
mod hostile;
mod liveness;
mod script;
mod strangers;
mod synchronization;
