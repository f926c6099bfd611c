from gigachat_emulator import main

main()
