// The relay of tests/support, for this folder's tests.
#include "support/scripted_relay.cpp"
