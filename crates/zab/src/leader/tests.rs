mod broadcast;
mod discovery;
mod hostile;
mod liveness;
mod script;
mod strangers;
mod synchronization;
