//! What a board does beside the gateway: firmware updates, factory reset, set-up over Wi-Fi, health light, log.
//!
//! Each part is logic without hardware: it is told what happened and when, and says what is to be done. A HAL glues
//! pins, radio and flash to it.
