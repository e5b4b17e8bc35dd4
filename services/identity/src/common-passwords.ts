/**
 * The most common passwords of 12 and more characters in published leaks that the patterns of password-rules.ts do not already cover,
 * without separators and in lower case.
 */
export const commonPasswords: ReadonlySet<string> = new Set(
  `1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw23edc 1qazxsw23edcvfr4 1234qwerasdf 1234qwerasdfzxcv
   123qweasdzxc 123qwe123qwe 12345qwertasdfg 123456qwerty 1234567qwerty 12345678qwerty 123456789qwerty 123456789abc 123456abcdef
   123456789abcd 1234567890qwe 1234567890qwerty 1234567890qwertyuiop 147258369147 147852369147 159357258456 741852963741 789456123789
   789456123000 987654321000 987654321abc 12345678910 123456789101112 1234567891011 112233445566 11223344556677 111222333444 aabbccddeeff
   a1b2c3d4e5f6 abc123abc123 abc123456789 abcd12345678 abcdef123456 abcdefg12345 abcdefgh1234 aa1234567890 a1234567890a asdfghjkl123
   asdfghjkl1234 asdfqwerzxcv asdf1234asdf asdfjkl12345 q1w2e3r4t5y6 q1w2e3r4t5y6u7 q1w2e3r4t5y6u7i8 qazwsxedc123 qazwsxedcrfv
   qazwsxedcrfvtgb qazxswedcvfr qweasdzxc123 qweasdzxcqweasdzxc qweasdzxcrty qwer1234asdf qwer1234qwer qwerasdfzxcv qwert12345asdfg qwerty123456
   qwerty1234567 qwerty12345678 qwerty123456789 qwertyasdfgh qwertyuiop12 qwertyuiop123 qwertyuiop1234 qwertyuiopasdf qwertyuiopasdfgh
   qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm zaq12wsxcde3 zaq1xsw2cde3 zaq12wsxzaq12wsx zxcvbnm12345 zxcvbnm123456 zxcvasdfqwer
   correcthorsebatterystaple thequickbrownfox maytheforcebewithyou ihavenopassword nopassword123 mypassword123 thisismypassword
   thisisapassword passwordpassword1 password1password iloveyouforever iloveyousomuch iloveyoubaby ilovemymother ilovemyfamily
   ilovemyself1 iloveme12345 letmeinplease letmein12345 jesusismylord jesuschrist1 jesuslovesme godisgood123 godislove123 manchesterunited
   manchestercity liverpoolfc1 realmadrid123 barcelona1234 chelseafc123 harrypotter1 starwars1234 superman1234 batman123456 spiderman123
   pokemon12345 minecraft123 michaeljordan christopher1 administrator administrator1 administrador changemeplease changeme1234 temporary1234
   temppassword defaultpassword supersecret1 topsecret123 trustno1trustno1 welcometo123 welcomehome1 tinkerbell12 fuckyou12345 fuckyoufuckyou
   motherfucker motherfucker1 computer1234 samsung12345 internet1234 playstation3 playstation4 playstation5 accessopsaccessops`.split(
    /\s+/,
  ),
);

/** Words that make no password, whatever digits and signs stand around them: `Welcome-2026!`. */
export const commonWords: ReadonlySet<string> = new Set(
  `password passwort passwords passord motdepasse contrasena senha wachtwoord parola mypassword thepassword newpassword userpassword
   adminpassword rootpassword testpassword passwordtest passwordadmin pass passwd passphrase welcome welcomeback admin admins adminadmin
   administrator administration root user users username guest login letmein secret secrets changeme changeit default temp temporary test
   testing testtest tester demo example sample qwerty qwertz azerty qwertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm abc abcd abcde abcdef iloveyou
   ilove iloveu love lovely loveme loveyou sunshine princess princesa football baseball basketball soccer hockey dragon monkey master shadow
   superman batman spiderman starwars pokemon minecraft naruto michael jordan jessica ashley daniel charlie thomas andrew robert jennifer
   computer internet samsung google facebook apple microsoft windows linux server database oracle cisco company office summer winter spring
   autumn monday friday january february march april june july august september october november december liverpool chelsea arsenal barcelona
   realmadrid juventus mustang ferrari porsche corvette mercedes harley yamaha freedom whatever trustno hello helloworld killer hunter ranger
   flower purple orange yellow silver golden diamond cookie chocolate banana cheese pepper ginger buster tigger access accessops`.split(
    /\s+/,
  ),
);
