namespace PsyLite.Web.Accounts;

/// <summary>The words of the pages around accounts.</summary>
public sealed record AccountText
{
    public required string Tag { get; init; }

    public required string SignIn { get; init; }

    public required string SignInNote { get; init; }

    public required string Name { get; init; }

    public required string Password { get; init; }

    public required string Enter { get; init; }

    public required string Refused { get; init; }

    public required string TooMany { get; init; }

    public required string Account { get; init; }

    public required string SignOut { get; init; }

    public required string SignOutNote { get; init; }

    public required string Back { get; init; }

    public required string Console { get; init; }

    public required string ChangePassword { get; init; }

    public required string Current { get; init; }

    public required string Fresh { get; init; }

    public required string Change { get; init; }

    public required string Changed { get; init; }

    public required string NotChanged { get; init; }

    public required string Keys { get; init; }

    public required string KeysNote { get; init; }

    public required string KeyLabel { get; init; }

    public required string MakeKey { get; init; }

    public required string KeyOnce { get; init; }

    public required string Revoke { get; init; }

    public required string NoKeys { get; init; }

    public required string Mine { get; init; }

    public required string MineNote { get; init; }

    public required string AsPage { get; init; }

    public required string AsJson { get; init; }

    public required string Help { get; init; }

    public static AccountText Chinese { get; } = new()
    {
        Tag = "zh-CN",
        SignIn = "登录",
        SignInNote = "对话只属于你的账号。没有账号或忘了密码，请找管理员。",
        Name = "用户名",
        Password = "密码",
        Enter = "登录",
        Refused = "用户名或密码不对。连错五次要等五分钟。",
        TooMany = "尝试太频繁，请一分钟后再来。",
        Account = "我的账号",
        SignOut = "退出登录",
        SignOutNote = "会结束所有设备上的登录。",
        Back = "回到对话",
        Console = "咨询员工作台",
        ChangePassword = "修改密码",
        Current = "当前密码",
        Fresh = "新密码（至少 10 个字符）",
        Change = "修改",
        Changed = "密码已修改，其他设备需要重新登录。",
        NotChanged = "没有修改：当前密码不对，或新密码太短、太容易猜到。",
        Keys = "接口密钥",
        KeysNote = "给其他程序使用，例如 Open WebUI。拿到密钥的程序可以用你的名义对话。",
        KeyLabel = "用途",
        MakeKey = "新建密钥",
        KeyOnce = "请现在复制，之后不再显示：",
        Revoke = "作废",
        NoKeys = "还没有密钥。",
        Mine = "我的数据",
        MineNote = "导出的文件没有加密，请妥善保管。",
        AsPage = "导出为网页",
        AsJson = "导出为 JSON",
        Help = "有危险时请直接拨打，无需登录：",
    };

    public static AccountText English { get; } = new()
    {
        Tag = "en",
        SignIn = "Sign in",
        SignInNote = "Conversations belong to your account alone. No account, or no password any more? Ask your administrator.",
        Name = "Name",
        Password = "Password",
        Enter = "Sign in",
        Refused = "The name or the password is wrong. After five wrong ones there is a wait of five minutes.",
        TooMany = "Too many attempts; please come back in a minute.",
        Account = "My account",
        SignOut = "Sign out",
        SignOutNote = "Ends the sessions on all devices.",
        Back = "Back to the conversation",
        Console = "Counsellors' console",
        ChangePassword = "Change the password",
        Current = "Current password",
        Fresh = "New password (at least 10 characters)",
        Change = "Change",
        Changed = "The password is changed; other devices have to sign in again.",
        NotChanged = "Not changed: the current password is wrong, or the new one is too short or too easy to guess.",
        Keys = "API keys",
        KeysNote = "For other programs, such as Open WebUI. A program that has a key converses in your name.",
        KeyLabel = "What for",
        MakeKey = "New key",
        KeyOnce = "Copy it now, it is not shown again:",
        Revoke = "Revoke",
        NoKeys = "There are no keys yet.",
        Mine = "My data",
        MineNote = "What is exported is not encrypted; keep it safe.",
        AsPage = "Export as a page",
        AsJson = "Export as JSON",
        Help = "In danger call (mainland China), no sign-in needed:",
    };

    public static AccountText Of(string? tag) => tag == English.Tag ? English : Chinese;
}
