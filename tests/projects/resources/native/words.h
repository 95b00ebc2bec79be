#define PRODUCT "Viel größer"
