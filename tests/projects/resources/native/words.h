#define PRODUCT "It's größer"
