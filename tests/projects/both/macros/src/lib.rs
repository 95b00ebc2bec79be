//! Runs C while the compiler runs.

use std::ffi::{CStr, c_char};

use proc_macro::{Literal, TokenStream, TokenTree};

unsafe extern "C" {
    fn where_macros() -> *const c_char;
}

/// The system that the macro itself was compiled for.
#[proc_macro]
pub fn here(_: TokenStream) -> TokenStream {
    let name = unsafe { CStr::from_ptr(where_macros()) };
    TokenTree::from(Literal::string(name.to_str().unwrap())).into()
}
