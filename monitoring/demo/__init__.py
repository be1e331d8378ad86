"""The demo hospital and the player that sends to the device door as bedside devices would."""
