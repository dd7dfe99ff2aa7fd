namespace PsyLite.Web;

/// <summary>The page's own words in one language. Help numbers are not among them: they come from the agent's directory.</summary>
public sealed record UiText
{
    /// <summary>BCP 47 tag, also the value of the page's lang attribute.</summary>
    public required string Tag { get; init; }

    public required string Greeting { get; init; }

    public required string Invitation { get; init; }

    public required IReadOnlyList<string> Openings { get; init; }

    /// <summary>Who is speaking here: a program. Always in sight.</summary>
    public required string Disclosure { get; init; }

    public required string Limits { get; init; }

    public required string DemonstrationModel { get; init; }

    public required string OwnModel { get; init; }

    public required string AboutModel { get; init; }

    public required string Privacy { get; init; }

    /// <summary>With {0} for the hosts that compute the replies.</summary>
    public required string PrivacyElsewhere { get; init; }

    public required string Placeholder { get; init; }

    public required string KeyHint { get; init; }

    public required string Send { get; init; }

    public required string Stop { get; init; }

    public required string Anew { get; init; }

    public required string StartedAnew { get; init; }

    public required string Undo { get; init; }

    public required string SwitchTheme { get; init; }

    /// <summary>Name of the other language, in that language.</summary>
    public required string OtherLanguage { get; init; }

    public required string OtherTag { get; init; }

    public required string Help { get; init; }

    public required string HelpTitle { get; init; }

    public required string HelpInvitation { get; init; }

    public required string LifelineName { get; init; }

    public required string LifelineHours { get; init; }

    public required string AmbulanceName { get; init; }

    public required string PoliceName { get; init; }

    public required string Close { get; init; }

    public required string Leave { get; init; }

    public required string LeaveHint { get; init; }

    public required string You { get; init; }

    public required string Program { get; init; }

    public required string Conversation { get; init; }

    public required string Reasoning { get; init; }

    public required string ReasoningNote { get; init; }

    public required string Thinking { get; init; }

    public required string Stopped { get; init; }

    public required string Failed { get; init; }

    /// <summary>Shown every two hours of one conversation.</summary>
    public required string Reminder { get; init; }

    public required string CrosstalkOffer { get; init; }

    public required string HumourOff { get; init; }

    public required string HumourIsOff { get; init; }

    public required string HumourOn { get; init; }

    public required string ModelLoading { get; init; }

    public required string ModelMissing { get; init; }

    public required string Reconnecting { get; init; }

    public required string ConnectionLost { get; init; }

    public required string Reload { get; init; }

    public required string ModelTitle { get; init; }

    public required string ModelStory { get; init; }

    public required string ModelFetch { get; init; }

    public required string ModelServe { get; init; }

    public required string Regenerate { get; init; }

    public required string Edit { get; init; }

    public required string EditHint { get; init; }

    public required string SendAgain { get; init; }

    public required string Cancel { get; init; }

    public required string TryAgain { get; init; }

    /// <summary>Shown while danger is in force.</summary>
    public required string AtRisk { get; init; }

    /// <summary>Shown every hour to minors.</summary>
    public required string ReminderOfMinors { get; init; }

    public required string CrosstalkMore { get; init; }

    public required string CrosstalkMoreNoted { get; init; }

    public required string Counsellor { get; init; }

    /// <summary>With {0} for the reason.</summary>
    public required string NotSaved { get; init; }

    /// <summary>With {0} for the reason.</summary>
    public required string RecordsClosed { get; init; }

    public required string SkipToField { get; init; }

    public required string YouthName { get; init; }

    public required string EmergencyName { get; init; }

    public required string FinderName { get; init; }

    public required string Elsewhere { get; init; }

    public required string Call { get; init; }

    public required string Opening { get; init; }

    public required HistoryText History { get; init; }

    public required WelcomeText Welcome { get; init; }

    public required SettingsText Settings { get; init; }

    public required CheckInText CheckIn { get; init; }

    public static UiText Chinese { get; } = new()
    {
        History = HistoryText.Chinese,
        Welcome = WelcomeText.Chinese,
        Settings = SettingsText.Chinese,
        CheckIn = CheckInText.Chinese,
        Regenerate = "换个回答",
        Edit = "改一改",
        EditHint = "改好后重新发送，原来的回复会被替换",
        SendAgain = "重新发送",
        Cancel = "取消",
        TryAgain = "再试一次",
        AtRisk = "现在不开玩笑，也不催你。你说的每一句，我都当真。求助电话一直在右上角。",
        ReminderOfMinors = "已经聊了一个小时。再说一次：我是电脑程序，不是真人。站起来走走，喝口水，和家里人或信得过的老师说说话，好吗？",
        CrosstalkMore = "多来点这样的",
        CrosstalkMoreNoted = "好，记住了。",
        Counsellor = "一位咨询员（真人）写给你",
        NotSaved = "这段对话没能保存，但可以继续说。（{0}）",
        RecordsClosed = "保存的记录现在打不开，可以先聊，这次不保存。（{0}）",
        SkipToField = "跳到输入框",
        YouthName = "青少年服务热线",
        EmergencyName = "紧急电话",
        FinderName = "查找你所在地的热线",
        Elsewhere = "我在别的地方",
        Call = "打给",
        Opening = "正在打开你的对话……",
        Tag = "zh-CN",
        Greeting = "今天过得怎么样？",
        Invitation = "想到什么就说什么，慢慢来。",
        Openings = ["最近总是睡不好", "工作压力很大，有点撑不动", "心里闷，又说不清为什么", "今天有件开心的事"],
        Disclosure = "我是电脑程序，不是真人，也没有感受。",
        Limits = "我可以听你说、陪你理一理，但不能代替医生或心理咨询师。",
        DemonstrationModel = "内置的是小型演示模型，常会答错。",
        OwnModel = "正在使用你指定的模型，它也会出错。",
        AboutModel = "换成 7B 模型",
        Privacy = "对话只在 PsyLite 所在的电脑上。",
        PrivacyElsewhere = "回复由 {0} 生成，对话会发送到那里。",
        Placeholder = "写下此刻的感受……",
        KeyHint = "Enter 发送，Shift + Enter 换行，Esc 停止",
        Send = "发送",
        Stop = "停止",
        Anew = "新对话",
        StartedAnew = "已经开始新的对话。",
        Undo = "回到刚才的对话",
        SwitchTheme = "切换深色或浅色",
        OtherLanguage = "English",
        OtherTag = "en",
        Help = "求助",
        HelpTitle = "现在就能找到人",
        HelpInvitation = "如果你有危险，或者快撑不住了，请打给他们，也请让身边的一个人知道。",
        LifelineName = "全国统一心理援助热线",
        LifelineHours = "每天不少于 18 小时，有时要多拨几次",
        AmbulanceName = "受伤或服药，需要急救",
        PoliceName = "有人身危险，需要警察",
        Close = "关闭",
        Leave = "快速离开",
        LeaveHint = "立即离开本页（连按两次 Esc）",
        You = "你说",
        Program = "PsyLite 回复",
        Conversation = "对话",
        Reasoning = "思考过程",
        ReasoningNote = "这是程序生成回复前写下的草稿，可能有误。",
        Thinking = "正在想",
        Stopped = "已停止。",
        Failed = "刚才没能答上来。",
        Reminder = "已经聊了两个小时。再说一次：我是电脑程序，不是真人。要不要起来走走，喝口水，或者找个人说说话？",
        CrosstalkOffer = "想听一段相声吗？",
        HumourOff = "不要相声了",
        HumourIsOff = "好，以后不再提相声了。",
        HumourOn = "还是留着吧",
        ModelLoading = "模型正在载入，马上就好。",
        ModelMissing = "现在没有可用的模型，我只能给出现成的回复。求助电话一直可用。",
        Reconnecting = "连接断开了，正在重新连接……",
        ConnectionLost = "连接断开了。说过的话还在，重新打开就能接着说。",
        Reload = "重新打开",
        ModelTitle = "关于模型",
        ModelStory = "自带的模型只有几百万参数，全部由我们自己的文字训练，用来让程序在没有网络的机器上也能跑起来。它不适合真正的倾诉。PsyLite 论文的 7B 模型约 4.7 GB，需要大约 6 GB 可用内存，可以这样换上：",
        ModelFetch = "下载，中断了再运行一次就接着下：",
        ModelServe = "用它启动：",
    };

    public static UiText English { get; } = new()
    {
        History = HistoryText.English,
        Welcome = WelcomeText.English,
        Settings = SettingsText.English,
        CheckIn = CheckInText.English,
        Regenerate = "Another reply",
        Edit = "Change it",
        EditHint = "Sent again, it takes the place of what was said and of the reply",
        SendAgain = "Send again",
        Cancel = "Cancel",
        TryAgain = "Try again",
        AtRisk = "No jokes now, and no hurry. I take every word of yours seriously. Help is always at the top right.",
        ReminderOfMinors = "It has been an hour. To say it again: I am a computer program, not a person. Get up, drink some water, and talk to your family or a teacher you trust, all right?",
        CrosstalkMore = "More of this",
        CrosstalkMoreNoted = "All right, noted.",
        Counsellor = "A counsellor, a human being, writes to you",
        NotSaved = "This conversation could not be saved, but you can go on. ({0})",
        RecordsClosed = "What was kept cannot be opened now. You can talk; this time nothing is kept. ({0})",
        SkipToField = "Skip to the message field",
        YouthName = "Youth line",
        EmergencyName = "Emergency",
        FinderName = "Find the line for your country",
        Elsewhere = "I am somewhere else",
        Call = "Call",
        Opening = "Opening your conversation…",
        Tag = "en",
        Greeting = "How has today been?",
        Invitation = "Say whatever comes to mind. There is no hurry.",
        Openings = ["I can't sleep lately", "Work is getting too much", "I feel low and can't say why", "Something good happened today"],
        Disclosure = "I am a computer program, not a person, and I have no feelings.",
        Limits = "I can listen and help you sort things out, but I do not replace a doctor or a counsellor.",
        DemonstrationModel = "The built-in model is a small Chinese demonstration and often answers badly.",
        OwnModel = "This is the model you configured; it makes mistakes too.",
        AboutModel = "How to get the 7B model",
        Privacy = "The conversation stays on the computer PsyLite runs on.",
        PrivacyElsewhere = "Replies are made by {0}, and the conversation is sent there.",
        Placeholder = "Write what is on your mind…",
        KeyHint = "Enter sends, Shift + Enter makes a new line, Esc stops",
        Send = "Send",
        Stop = "Stop",
        Anew = "New conversation",
        StartedAnew = "A new conversation has begun.",
        Undo = "Back to the one before",
        SwitchTheme = "Switch between dark and light",
        OtherLanguage = "中文",
        OtherTag = "zh-CN",
        Help = "Help",
        HelpTitle = "People you can reach now",
        HelpInvitation = "If you are in danger or can hardly bear it, please call, and let someone near you know.",
        LifelineName = "National mental-health line (Chinese)",
        LifelineHours = "at least 18 hours a day; it may take a few tries",
        AmbulanceName = "hurt, or have taken something: ambulance",
        PoliceName = "in danger: police",
        Close = "Close",
        Leave = "Leave quickly",
        LeaveHint = "Leaves this page at once (press Esc twice)",
        You = "You said",
        Program = "PsyLite replied",
        Conversation = "Conversation",
        Reasoning = "Reasoning",
        ReasoningNote = "A draft the program wrote before its reply; it may be wrong.",
        Thinking = "Thinking",
        Stopped = "Stopped.",
        Failed = "That did not work.",
        Reminder = "It has been two hours. To say it again: I am a computer program, not a person. How about a walk, some water, or a word with someone?",
        CrosstalkOffer = "Would you like a short crosstalk (in Chinese)?",
        HumourOff = "None of this",
        HumourIsOff = "All right, no more crosstalk from now on.",
        HumourOn = "Keep it after all",
        ModelLoading = "The model is loading; it will be ready in a moment.",
        ModelMissing = "There is no usable model now, so I can only give prepared replies. The help lines are always there.",
        Reconnecting = "The connection was lost; trying again…",
        ConnectionLost = "The connection is gone. What was said is still there; open again to go on.",
        Reload = "Open again",
        ModelTitle = "About the model",
        ModelStory = "The model that comes along has a few million parameters and was trained on text of our own, so that the program runs on a machine without a network. It is not made for real distress. The 7B model of the PsyLite paper takes about 4.7 GB and needs about 6 GB of free memory:",
        ModelFetch = "Download it; interrupted, the same command goes on where it stopped:",
        ModelServe = "Start with it:",
    };

    /// <summary>The words for a tag; Chinese unless English is asked for.</summary>
    public static UiText Of(string? tag) => tag == English.Tag ? English : Chinese;
}
