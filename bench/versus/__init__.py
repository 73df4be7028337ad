"""What bench/versus-zookeeper is made of; see there."""
