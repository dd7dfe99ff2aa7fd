namespace PsyLite.Web;

/// <summary>Words of the first visit: who speaks here, how old the person is, whether anything is kept.</summary>
public sealed record WelcomeText
{
    public required string Title { get; init; }

    public required string Lead { get; init; }

    /// <summary>With {0} for the help line's number and {1} for the ambulance's.</summary>
    public required string InDanger { get; init; }

    public required string Age { get; init; }

    public required string AgeWhy { get; init; }

    public required string Under14 { get; init; }

    public required string From14To17 { get; init; }

    public required string Adult { get; init; }

    public required string Keeping { get; init; }

    public required string Keep { get; init; }

    /// <summary>With {0} for the days.</summary>
    public required string KeepHint { get; init; }

    public required string KeepForGood { get; init; }

    public required string KeepNot { get; init; }

    public required string KeepNotHint { get; init; }

    public required string Guardian { get; init; }

    public required string GuardianText { get; init; }

    public required string GuardianAgrees { get; init; }

    public required string GuardianNeeded { get; init; }

    /// <summary>For a child who cannot ask a guardian, or is hurt by one. With {0} for the youth line and {1} for the police.</summary>
    public required string ChildAlone { get; init; }

    public required string MinorNote { get; init; }

    public required string Start { get; init; }

    public required string Skip { get; init; }

    public required string SkipHint { get; init; }

    public required string ChooseAge { get; init; }

    public static WelcomeText Chinese { get; } = new()
    {
        Title = "你好，先坐一会儿",
        Lead = "我是一个电脑程序，不是真人，也没有感受。我可以听你说、陪你理一理，但不能代替医生或心理咨询师。",
        InDanger = "如果现在就有危险，先不用管这些：请打 {0}，需要急救打 {1}。",
        Age = "你多大了？",
        AgeWhy = "不满 18 岁，我说话会更小心，也会更早提醒你休息。",
        Under14 = "不满 14 岁",
        From14To17 = "14–17 岁",
        Adult = "18 岁以上",
        Keeping = "要把对话留下来吗？",
        Keep = "留在 PsyLite 所在的电脑上",
        KeepHint = "加密保存，{0} 天后自动删除；随时可以导出，也可以全部清除，不会用来训练。",
        KeepForGood = "加密保存，直到你删除；随时可以导出，也可以全部清除，不会用来训练。",
        KeepNot = "不留",
        KeepNotHint = "不写进硬盘，关掉页面几分钟后就消失。",
        Guardian = "请和监护人一起看",
        GuardianText = "不满 14 岁，要爸爸妈妈或其他监护人知道并且同意，才能用这个程序。请监护人读完这一页：对面是程序，会出错，不能代替照看和治疗。",
        GuardianAgrees = "我是监护人，我读过了，同意孩子使用",
        GuardianNeeded = "要监护人同意才能开始。",
        ChildAlone = "如果家里有人伤害你，或者你很害怕、不敢告诉家里人：可以打 {0}，有危险就打 {1}，也可以告诉一位你信得过的老师。这不是你的错。",
        MinorNote = "未成年人模式：每小时提醒休息；只要提到过难受的念头，就不再开玩笑。",
        Start = "开始",
        Skip = "先不填，直接说",
        SkipHint = "不填也可以：对话不保存，并且按未成年人的方式对待。",
        ChooseAge = "请选一下年龄，或者点“先不填，直接说”。",
    };

    public static WelcomeText English { get; } = new()
    {
        Title = "Hello. Sit down for a moment",
        Lead = "I am a computer program, not a person, and I have no feelings. I can listen and help you sort things out, but I do not replace a doctor or a counsellor.",
        InDanger = "If you are in danger now, leave all this: turn to {0}, or call {1} in an emergency.",
        Age = "How old are you?",
        AgeWhy = "Under 18, I speak with more care and remind you to rest earlier.",
        Under14 = "Under 14",
        From14To17 = "14–17",
        Adult = "18 or older",
        Keeping = "Shall our conversations be kept?",
        Keep = "Keep them on the computer PsyLite runs on",
        KeepHint = "Encrypted, deleted after {0} days; you can export or erase them at any time. They are not used for training.",
        KeepForGood = "Encrypted, until you delete them; you can export or erase them at any time. They are not used for training.",
        KeepNot = "Keep nothing",
        KeepNotHint = "Never written to the disk; gone a few minutes after you close the page.",
        Guardian = "Please read this with a guardian",
        GuardianText = "Under 14, a parent or another guardian has to know and agree before you use this program. To the guardian: this is a program; it makes mistakes and replaces neither care nor treatment.",
        GuardianAgrees = "I am the guardian, I have read this and I agree",
        GuardianNeeded = "A guardian has to agree first.",
        ChildAlone = "If someone at home hurts you, or you are afraid to tell them: you can turn to {0}, and to {1} when you are in danger, or tell a teacher you trust. It is not your fault.",
        MinorNote = "Minors' mode: a reminder to rest every hour, and no jokes once anything painful has come up.",
        Start = "Start",
        Skip = "Just talk first",
        SkipHint = "You need not answer: then nothing is kept, and I speak as I would with a minor.",
        ChooseAge = "Please choose your age, or press “Just talk first”.",
    };
}
